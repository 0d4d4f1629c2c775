package io.dualkey.examples.rotation.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SecretsDirectoryTest {

    @TempDir
    Path temp;

    @Test
    void laysFilesOutAsTheKubeletDoes() throws IOException {
        Path directory = SecretsDirectory.create(temp.resolve("secrets"), Map.of("jwt-key", "first"))
                .path();

        assertThat(Files.readSymbolicLink(directory.resolve("jwt-key"))).isEqualTo(Path.of("..data", "jwt-key"));
        assertThat(Files.readSymbolicLink(directory.resolve("..data")).toString())
                .matches("\\.\\.\\d{4}(_\\d{2}){5}\\.\\d{9}");
        assertThat(directory.resolve("jwt-key")).hasContent("first");
        assertThat(entries(directory)).hasSize(3);
    }

    @Test
    void isForItsOwnerOnly() throws IOException {
        Path directory = SecretsDirectory.create(temp.resolve("secrets"), Map.of("jwt-key", "first"))
                .path();

        assertThat(permissions(directory)).isEqualTo("rwx------");
        assertThat(permissions(directory.resolve("..data"))).isEqualTo("rwx------");
        assertThat(permissions(directory.resolve("jwt-key"))).isEqualTo("rw-------");
    }

    @Test
    void publishesAllChangesInOneNewGenerationAndDeletesTheOneBefore() throws IOException {
        SecretsDirectory secrets =
                SecretsDirectory.create(temp.resolve("secrets"), Map.of("jwt-key", "first", "database-url", "same"));
        Path before = Files.readSymbolicLink(secrets.path().resolve("..data"));

        secrets.change(files -> files.put("jwt-key-previous", files.put("jwt-key", "second")));

        assertThat(Files.readSymbolicLink(secrets.path().resolve("..data"))).isNotEqualTo(before);
        assertThat(secrets.path().resolve(before)).doesNotExist();
        assertThat(secrets.path().resolve("jwt-key")).hasContent("second");
        assertThat(secrets.path().resolve("jwt-key-previous")).hasContent("first");
        assertThat(secrets.path().resolve("database-url")).hasContent("same");
    }

    @Test
    void takesTheLinkOfARemovedSecretAway() throws IOException {
        SecretsDirectory secrets =
                SecretsDirectory.create(temp.resolve("secrets"), Map.of("jwt-key", "a", "jwt-key-previous", "b"));

        secrets.change(files -> files.remove("jwt-key-previous"));

        assertThat(entries(secrets.path())).hasSize(3).contains("jwt-key").doesNotContain("jwt-key-previous");
    }

    @Test
    void keepsWhatSomebodyElseHasPublished() throws IOException {
        SecretsDirectory secrets = SecretsDirectory.create(temp.resolve("secrets"), Map.of("jwt-key", "a"));
        Path byHand = Files.createDirectory(secrets.path().resolve("..by-hand"));
        Files.writeString(byHand.resolve("jwt-key"), "b");
        Files.delete(secrets.path().resolve("..data"));
        Files.createSymbolicLink(secrets.path().resolve("..data"), byHand.getFileName());

        secrets.change(files -> files.put("database-url", "c"));

        assertThat(secrets.path().resolve("jwt-key")).hasContent("b");
        assertThat(secrets.path().resolve("database-url")).hasContent("c");
    }

    private static String permissions(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    private static List<String> entries(Path directory) throws IOException {
        try (Stream<Path> list = Files.list(directory)) {
            return list.map(entry -> entry.getFileName().toString()).toList();
        }
    }
}
