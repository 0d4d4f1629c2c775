package io.dualkey.secrets.jdbc;

/** Where one version of a database's credentials stands in its life. A rollback takes it back to {@link #CURRENT}. */
public enum CredentialPhase {
    /** New connections log in with it, unless the server refuses it. */
    CURRENT,
    /**
     * The server refuses the current version, or none has been proven yet, and this one, which the secret's store still
     * or already has, logs in: new connections use it meanwhile.
     */
    FALLBACK,
    /**
     * Another version has replaced it, and connections that logged in with it are still open in this process; or a trial
     * login is being made with it, because it may come back.
     */
    RETIRING,
    /**
     * This process has no connection of it, none on its way, and will not log in with it unless it becomes current
     * again. Other processes may still use it.
     */
    RELEASED,
    /** Besides, the server itself has reported that no session of its user is left: the user can be dropped. */
    SAFE_TO_DROP
}
