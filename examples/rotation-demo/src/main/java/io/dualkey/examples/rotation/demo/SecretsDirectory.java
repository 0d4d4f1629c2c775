package io.dualkey.examples.rotation.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A directory of secrets, published as the kubelet does it: all files lie in a directory named after the time, the link
 * {@code ..data} leads there and is swapped in one atomic rename, each secret is a link through {@code ..data}, and
 * the directory before is deleted at once. Not safe for use by several threads.
 */
final class SecretsDirectory {

    private static final String DATA = "..data";
    private static final DateTimeFormatter STAMP = DateTimeFormatter.ofPattern("'..'yyyy_MM_dd_HH_mm_ss.nnnnnnnnn");
    private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY_FILE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private final Path directory;

    private SecretsDirectory(Path directory) {
        this.directory = directory;
    }

    /** Makes the directory, for its owner only, and publishes the first generation. */
    static SecretsDirectory create(Path directory, Map<String, String> secrets) throws IOException {
        Files.createDirectory(directory, OWNER_ONLY);
        SecretsDirectory created = new SecretsDirectory(directory);
        created.publish(secrets);
        return created;
    }

    Path path() {
        return directory;
    }

    /** Publishes a generation that differs from the one before as the change says: secrets by name. */
    void change(Consumer<Map<String, String>> change) throws IOException {
        Map<String, String> secrets = new TreeMap<>(read());
        change.accept(secrets);
        publish(secrets);
    }

    private Map<String, String> read() throws IOException {
        Map<String, String> secrets = new TreeMap<>();
        try (Stream<Path> files = Files.list(directory.resolve(DATA))) {
            files.forEach(file -> secrets.put(file.getFileName().toString(), contentOf(file)));
        } catch (UncheckedIOException failure) {
            throw failure.getCause();
        }
        return secrets;
    }

    private static String contentOf(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private void publish(Map<String, String> secrets) throws IOException {
        Path link = directory.resolve(DATA);
        Path before = Files.isSymbolicLink(link) ? directory.resolve(Files.readSymbolicLink(link)) : null;

        Path generation = directory.resolve(LocalDateTime.now(ZoneOffset.UTC).format(STAMP));
        Files.createDirectory(generation, OWNER_ONLY);
        for (Map.Entry<String, String> secret : secrets.entrySet()) {
            Path file = Files.createFile(generation.resolve(secret.getKey()), OWNER_ONLY_FILE);
            Files.write(file, secret.getValue().getBytes(StandardCharsets.UTF_8), StandardOpenOption.WRITE);
        }
        Path swap = Files.createSymbolicLink(directory.resolve("..data_tmp"), generation.getFileName());
        Files.move(swap, link, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);

        for (String name : secrets.keySet()) {
            Path entry = directory.resolve(name);
            if (!Files.exists(entry, LinkOption.NOFOLLOW_LINKS)) {
                Files.createSymbolicLink(entry, Path.of(DATA, name));
            }
        }
        try (Stream<Path> entries = Files.list(directory)) {
            for (Path entry : entries.toList()) {
                String name = entry.getFileName().toString();
                if (!name.startsWith("..") && !secrets.containsKey(name)) {
                    Files.delete(entry);
                }
            }
        }
        if (before != null) {
            Trees.delete(before);
        }
    }
}
