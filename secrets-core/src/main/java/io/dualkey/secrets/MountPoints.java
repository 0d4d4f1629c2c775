package io.dualkey.secrets;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Where file systems, directories and single files are mounted, as Linux tells a process (proc_pid_mountinfo(5)). */
final class MountPoints {

    static final Path OF_THIS_PROCESS = Path.of("/proc/self/mountinfo");

    private static final int MOUNT_POINT = 4;
    /** A space, tab, line break or backslash in a path. */
    private static final Pattern OCTAL = Pattern.compile("\\\\([0-7]{3})");

    private final Set<String> paths;

    private MountPoints(Set<String> paths) {
        this.paths = paths;
    }

    /** {@return those listed in a file of mountinfo's format; none if there is no such file, as outside of Linux} */
    static MountPoints in(Path mountInfo) throws IOException {
        String text;
        try {
            text = new String(Files.readAllBytes(mountInfo), StandardCharsets.UTF_8);
        } catch (NoSuchFileException notLinux) {
            return new MountPoints(Set.of());
        }
        return new MountPoints(text.lines()
                .map(line -> line.split(" ", -1))
                .filter(fields -> fields.length > MOUNT_POINT)
                .map(fields -> unescaped(fields[MOUNT_POINT]))
                .collect(Collectors.toUnmodifiableSet()));
    }

    private static String unescaped(String path) {
        return OCTAL.matcher(path)
                .replaceAll(
                        escape -> Matcher.quoteReplacement(Character.toString(Integer.parseInt(escape.group(1), 8))));
    }

    /** {@return whether a path, links resolved, is a mount point itself} */
    boolean contains(Path path) throws IOException {
        return !paths.isEmpty() && paths.contains(path.toRealPath().toString());
    }
}
