package io.dualkey.secrets;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A directory as a store: each file is a secret of the file's name. Made for mounts of Kubernetes Secrets and the
 * Secrets
 * Store CSI driver, which publish all files at once by swapping a {@code ..data} link: all secrets are read from one
 * such
 * generation, never half of one and half of another. A directory of plain files works as well, file by file.
 *
 * <p>Files have no history. If a file {@code name-previous} lies beside {@code name}, it is accepted as the previous
 * value
 * for exactly as long as it is there and not blank; where none was ever seen, the value before the last change is
 * remembered for the grace period, until the process ends. The times of files are never used.
 *
 * <p>One line break at the end of a text file is not part of the secret. Files over 1 MiB are refused. Safe for use by
 * several threads.
 */
public final class DirectoryStore implements SecretStore {

    private static final int MAX_BYTES = 1 << 20;
    private static final int ATTEMPTS = 5;
    private static final Path GENERATION_LINK = Path.of("..data");

    private final Path directory;
    /** Version ids of files, which have none: numbers after a random mark of this store, so that they tell nothing. */
    private final String mark = Integer.toHexString(new SecureRandom().nextInt());

    private final AtomicLong versions = new AtomicLong();

    private DirectoryStore(Path directory) {
        this.directory = directory;
    }

    /**
     * {@return the store at a directory} It need not exist yet.
     *
     * @param directory the mount, the one with {@code ..data} in it if there is one
     */
    public static DirectoryStore at(Path directory) {
        return new DirectoryStore(directory.toAbsolutePath().normalize());
    }

    @Override
    public String description() {
        return "directory " + directory;
    }

    @Override
    public boolean readsTogether() {
        return true;
    }

    @Override
    public boolean keepsHistory() {
        return false;
    }

    @Override
    public Optional<String> companionOf(String name) {
        return Optional.of(name + "-previous");
    }

    /**
     * Reads all files from one generation. The writer deletes a generation after it has published the next, so a
     * file may
     * vanish between two reads of ours: then, or when the link has moved meanwhile, all is read again.
     */
    @Override
    public List<StoreResult> read(List<StoreQuery> queries) throws IOException {
        List<StoreResult> results = List.of();
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            Path generation = generation();
            Path from = generation == null ? directory : directory.resolve(generation);
            results = queries.stream().map(query -> read(from, query)).toList();
            if (generation == null
                    ? !Files.isSymbolicLink(directory.resolve(GENERATION_LINK))
                    : generation.equals(generation())) {
                return results;
            }
        }
        StoreResult moving = StoreResult.failed(
                Outcome.UNREACHABLE, "the directory was replaced " + ATTEMPTS + " times while it was read");
        return results.stream().map(result -> moving).toList();
    }

    private @Nullable Path generation() throws IOException {
        try {
            return Files.readSymbolicLink(directory.resolve(GENERATION_LINK));
        } catch (NoSuchFileException | NotLinkException plain) {
            return null;
        }
    }

    private StoreResult read(Path from, StoreQuery query) {
        String name = query.name();
        Path file;
        try {
            file = from.resolve(name).normalize();
        } catch (java.nio.file.InvalidPathException invalid) {
            return StoreResult.failed(Outcome.NOT_FOUND, "'" + name + "' cannot be the name of a file");
        }
        if (!from.equals(file.getParent()) || name.startsWith("..")) {
            return StoreResult.failed(
                    Outcome.ACCESS_DENIED, "'" + name + "' is not the plain name of a file in the directory");
        }
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MAX_BYTES + 1);
        } catch (NoSuchFileException | NotDirectoryException missing) {
            return StoreResult.failed(Outcome.NOT_FOUND, "there is no file " + name);
        } catch (AccessDeniedException denied) {
            return StoreResult.failed(Outcome.ACCESS_DENIED, "the file " + name + " may not be read by this process");
        } catch (IOException failure) {
            String kind = Files.isDirectory(file)
                    ? "it is a directory"
                    : failure.getClass().getName();
            return StoreResult.failed(Outcome.UNREACHABLE, "the file " + name + " could not be read: " + kind);
        }
        if (bytes.length > MAX_BYTES) {
            return StoreResult.failed(Outcome.MALFORMED, "the file " + name + " is larger than 1 MiB");
        }
        SecretValue value = SecretValue.of(withoutFinalLineBreak(bytes));
        Arrays.fill(bytes, (byte) 0);
        boolean same = query.known()
                .flatMap(known -> known.versions().get(0).value())
                .map(value::equals)
                .orElse(false);
        if (same) {
            return StoreResult.unchanged();
        }
        String id = mark + "-" + versions.incrementAndGet();
        return StoreResult.found(StoredSecret.of(id, List.of(StoredVersion.of(id, value))));
    }

    /** Editors and {@code echo} end a text with a line break that nobody means as part of a password. */
    private static byte[] withoutFinalLineBreak(byte[] bytes) {
        int length = bytes.length;
        if (length == 0 || bytes[length - 1] != '\n' || !isText(bytes)) {
            return bytes.clone();
        }
        boolean crlf = length > 1 && bytes[length - 2] == '\r';
        return Arrays.copyOf(bytes, length - (crlf ? 2 : 1));
    }

    private static boolean isText(byte[] bytes) {
        for (byte b : bytes) {
            if (b >= 0 && b < ' ' && b != '\n' && b != '\r' && b != '\t') {
                return false;
            }
        }
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return true;
        } catch (CharacterCodingException binary) {
            return false;
        }
    }
}
