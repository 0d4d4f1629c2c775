package io.dualkey.secrets;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.Map;

/** A directory that is written as the kubelet and the Secrets Store CSI driver do. */
final class KubernetesMount {

    private final Path directory;

    KubernetesMount(Path directory) {
        this.directory = directory;
    }

    /** Publishes a set of files, by their paths within the mount. */
    void publish(String generation, Map<String, String> files) {
        try {
            Path target = Files.createDirectory(directory.resolve(".." + generation));
            for (Map.Entry<String, String> file : files.entrySet()) {
                Path path = target.resolve(file.getKey());
                Files.createDirectories(path.getParent());
                Files.writeString(path, file.getValue());
            }
            Path link = directory.resolve("..data_tmp");
            Files.createSymbolicLink(link, target.getFileName());
            Files.move(link, directory.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** Deletes a generation, as the writer does after it has published the next. */
    void remove(String generation) {
        delete(directory.resolve(".." + generation));
    }

    static void delete(Path tree) {
        try (var files = Files.walk(tree)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
