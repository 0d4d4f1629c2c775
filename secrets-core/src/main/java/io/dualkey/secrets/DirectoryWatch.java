package io.dualkey.secrets;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells listeners that entries of a directory may have changed. It watches while it has listeners. */
final class DirectoryWatch {

    /*
     * Concurrency: `lock` guards the fields below it. There is a thread exactly while there are listeners; it is told
     * to end by an interrupt, and may still deliver a last hint while the next one begins, which does no harm. Listeners
     * are called without the lock. What happens before the operating system watches is not among its events, so
     * everybody is told once it does, or once the directory is found missing; a listener that comes later is told at once.
     */

    /** Opens the operating system's means of watching. */
    interface Opener {

        WatchService open() throws IOException;
    }

    /** How often to look whether the directory has come into being or has become another one. */
    static final Duration RECHECK = Duration.ofSeconds(5);

    private static final Logger log = LoggerFactory.getLogger(DirectoryStore.class);
    /** A plain file may be written in steps: it is left alone until nothing has happened for so long... */
    private static final Duration QUIET = Duration.ofMillis(20);
    /** ...or writing has gone on for so long. */
    private static final Duration LONGEST_BURST = Duration.ofMillis(100);

    private final Path directory;
    private final Opener opener;
    private final Duration recheck;
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private volatile boolean warned;
    private volatile boolean missing;

    private final Object lock = new Object();
    private @Nullable Thread thread;

    DirectoryWatch(Path directory, Opener opener, Duration recheck) {
        this.directory = directory;
        this.opener = opener;
        this.recheck = recheck;
    }

    private final class Listener implements Registration {

        private final Runnable changed;

        Listener(Runnable changed) {
            this.changed = changed;
        }

        @Override
        public void close() {
            remove(this);
        }
    }

    Registration add(Runnable changed) {
        Listener listener = new Listener(changed);
        boolean first;
        synchronized (lock) {
            listeners.add(listener);
            first = thread == null;
            if (first) {
                Thread watching = new Thread(this::run, "dualkey-watch-" + directory);
                watching.setDaemon(true);
                watching.start();
                thread = watching;
            }
        }
        if (!first) {
            changed.run();
        }
        return listener;
    }

    private void remove(Listener listener) {
        synchronized (lock) {
            if (listeners.remove(listener) && listeners.isEmpty() && thread != null) {
                thread.interrupt();
                thread = null;
            }
        }
    }

    private void tell() {
        listeners.forEach(listener -> listener.changed.run());
    }

    private void run() {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                if (!watchOnce()) {
                    TimeUnit.NANOSECONDS.sleep(recheck.toNanos());
                }
            }
        } catch (InterruptedException closed) {
            log.debug("{} is not watched any more", directory);
        }
    }

    /** {@return whether the directory could be watched until it went away} */
    private boolean watchOnce() throws InterruptedException {
        try {
            Object identity = identity();
            missing = false;
            try (WatchService service = opener.open()) {
                watch(service, identity);
                return true;
            }
        } catch (InterruptedException closed) {
            throw closed;
        } catch (NoSuchFileException gone) {
            if (!missing) {
                missing = true;
                log.debug("{} does not exist; it will be watched once it does", directory);
                tell();
            }
        } catch (Throwable failure) { // the refresh interval goes on, so nothing is lost but speed
            if (!warned) {
                warned = true;
                log.warn(
                        "{} cannot be watched ({}); changes are seen at the refresh interval only. If this is a limit of"
                                + " inotify, raise fs.inotify.max_user_instances or max_user_watches",
                        directory,
                        failure.toString());
            }
        }
        return false;
    }

    private void watch(WatchService service, @Nullable Object identity) throws IOException, InterruptedException {
        WatchKey registered = directory.register(
                service,
                StandardWatchEventKinds.ENTRY_CREATE,
                StandardWatchEventKinds.ENTRY_MODIFY,
                StandardWatchEventKinds.ENTRY_DELETE);
        tell();
        boolean writing = false;
        long writingSince = 0;
        while (registered.isValid()) {
            WatchKey key = service.poll((writing ? QUIET : recheck).toNanos(), TimeUnit.NANOSECONDS);
            if (key == null && !writing && !Objects.equals(identity, identity())) {
                return; // another directory has been put in its place, or its link leads to another one
            }
            boolean published = writing && key == null;
            if (key != null) {
                for (WatchEvent<?> event : key.pollEvents()) {
                    Object entry = event.context(); // null when events were lost
                    if (entry == null || DirectoryStore.GENERATION_LINK.equals(entry)) {
                        published = true;
                    } else if (!writing && !entry.toString().startsWith("..")) {
                        writing = true;
                        writingSince = System.nanoTime();
                    }
                }
                key.reset();
            }
            if (published || (writing && System.nanoTime() - writingSince >= LONGEST_BURST.toNanos())) {
                writing = false;
                tell();
            }
        }
        tell();
    }

    /** What tells this directory from another one that comes in its place; null where the system does not say. */
    private @Nullable Object identity() throws IOException {
        return Files.readAttributes(directory, BasicFileAttributes.class).fileKey();
    }
}
