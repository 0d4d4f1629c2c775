package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class MountPointsTest {

    @TempDir
    private Path directory;

    @Test
    void fileMountedByItselfIsFound() throws IOException {
        Path root = directory.toRealPath();
        Path mounted = Files.createFile(root.resolve("a key\\1"));
        Path plain = Files.createFile(root.resolve("plain"));
        Path link = Files.createSymbolicLink(root.resolve("link"), mounted);
        MountPoints mounts = mounts("27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
                + "830 27 0:52 /..2026_01/a\\040key\\1341 " + root
                + "/a\\040key\\1341 ro,relatime master:1 - tmpfs tmpfs rw\n"
                + "not a line of mountinfo\n");
        assertThat(mounts.contains(mounted)).isTrue();
        assertThat(mounts.contains(link)).isTrue();
        assertThat(mounts.contains(plain)).isFalse();
        assertThat(mounts.contains(root)).isFalse();
    }

    @Test
    void withoutAListNothingIsAMount() throws IOException {
        assertThat(MountPoints.in(directory.resolve("nowhere")).contains(directory))
                .isFalse();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void listOfThisProcessIsUnderstood() throws IOException {
        MountPoints mounts = MountPoints.in(MountPoints.OF_THIS_PROCESS);
        assertThat(mounts.contains(Path.of("/proc"))).isTrue();
        assertThat(mounts.contains(directory)).isFalse();
    }

    private MountPoints mounts(String text) throws IOException {
        return MountPoints.in(Files.writeString(directory.resolve("mountinfo"), text));
    }
}
