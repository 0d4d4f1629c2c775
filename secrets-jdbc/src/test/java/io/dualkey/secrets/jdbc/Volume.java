package io.dualkey.secrets.jdbc;

/** How much of a test is run: a little in each build, all of it with {@code -Pstress}. */
final class Volume {

    private static final boolean FULL = Boolean.getBoolean("dualkey.stress");

    private Volume() {}

    static boolean isFull() {
        return FULL;
    }

    static int of(int inEachBuild, int full) {
        return FULL ? full : inEachBuild;
    }
}
