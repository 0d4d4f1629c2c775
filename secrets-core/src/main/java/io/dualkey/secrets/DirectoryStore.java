package io.dualkey.secrets;

import io.dualkey.secrets.StoreResult.Failed;
import io.dualkey.secrets.StoredVersion.Stage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A directory as a store: each file is a secret of the file's name. Made for mounts of Kubernetes Secrets and the
 * Secrets Store CSI driver, which publish all files at once by swapping a {@code ..data} link: all secrets are read from
 * one such generation, never half of one and half of another. A directory of plain files works as well, file by file.
 *
 * <p>The directory is watched where the operating system can, so a change is mostly read at once; where it cannot, the
 * refresh interval is what finds it. A file that is mounted by {@code subPath} never changes, which is warned about.
 *
 * <p>Files have no history. If a file {@code name-previous} lies beside {@code name}, it is accepted as the previous
 * value for exactly as long as it is there and not blank; where none was ever seen, the value before the last change is
 * remembered for the grace period, until the process ends. The times of files are never used.
 *
 * <p>The Azure provider of the CSI driver mounts a history if {@code objectVersionHistory} is set: {@code name} is then a
 * folder with the newest version in the file {@code 0}, the one before in {@code 1}, and so on. {@code 0} is the secret
 * and {@code 1} stands for {@code name-previous}: it is accepted for exactly as long as it is mounted, since nothing says
 * when it was replaced. Older ones are not accepted. To end the acceptance of the previous version, disable it in the
 * vault <em>and all versions before it</em>: the provider leaves disabled ones out, so the next older one moves up.
 *
 * <p>One line break at the end of a text file is not part of the secret. Files over 1 MiB are refused, as is whatever is
 * not a regular file. Safe for use by several threads; one daemon thread watches while a source that uses this store is
 * started and not closed.
 */
public final class DirectoryStore implements SecretStore {

    /*
     * Concurrency: a generation is not changed once it is published, and the writer deletes it only after the next one has
     * been. So what was read between two looks at the link that show the same generation is one set, and what was missing
     * in it is missing. A look that shows another one sends the reader back. Each turn of that loop is a swap by the
     * writer: the reader neither waits nor spins.
     */

    static final Path GENERATION_LINK = Path.of("..data");

    private static final Logger log = LoggerFactory.getLogger(DirectoryStore.class);
    private static final int MAX_BYTES = 1 << 20;
    /** What the common file systems allow. */
    private static final int LONGEST_NAME = 255;
    /** Far more than any writer that also deletes can cause; a bound all the same. */
    private static final int ATTEMPTS = 1000;

    private static final String COMPANION = "-previous";
    private static final String NEWEST = "0";
    private static final String ONE_BEFORE = "1";

    private final Path directory;
    private final Path mountInfo;
    private final DirectoryWatch watch;
    /** Version ids of files, which have none: numbers after a random mark of this store, so that they tell nothing. */
    private final String mark = Integer.toHexString(new SecureRandom().nextInt());

    private final AtomicLong versions = new AtomicLong();
    /** The files that it is known of whether they are mounts of their own. */
    private final Set<String> inspected = ConcurrentHashMap.newKeySet();

    private DirectoryStore(Path directory, Path mountInfo, DirectoryWatch watch) {
        this.directory = directory;
        this.mountInfo = mountInfo;
        this.watch = watch;
    }

    /**
     * {@return the store at a directory} It need not exist yet.
     *
     * @param directory the mount, the one with {@code ..data} in it if there is one
     */
    public static DirectoryStore at(Path directory) {
        return at(
                directory,
                MountPoints.OF_THIS_PROCESS,
                directory.getFileSystem()::newWatchService,
                DirectoryWatch.RECHECK);
    }

    static DirectoryStore at(Path directory, Path mountInfo, DirectoryWatch.Opener opener, Duration recheck) {
        Path absolute = directory.toAbsolutePath().normalize();
        return new DirectoryStore(absolute, mountInfo, new DirectoryWatch(absolute, opener, recheck));
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
        return Optional.of(name + COMPANION);
    }

    @Override
    public Registration watch(Runnable changed) {
        return watch.add(changed);
    }

    /**
     * Reads all files from one generation. The writer deletes a generation after it has published the next, so a file may
     * vanish between two reads of ours: then, or when the link has moved meanwhile, all is read again.
     */
    @Override
    public List<StoreResult> read(List<StoreQuery> queries) throws IOException, InterruptedException {
        if (Files.isRegularFile(directory)) {
            return same(
                    queries,
                    Outcome.NOT_FOUND,
                    "it is a file, and should be a directory with one file for each secret");
        }
        try {
            return readGenerations(queries);
        } catch (AccessDeniedException denied) {
            return same(queries, Outcome.ACCESS_DENIED, "the directory may not be searched by this process");
        }
    }

    private static List<StoreResult> same(List<StoreQuery> queries, Outcome outcome, String detail) {
        StoreResult failed = StoreResult.failed(outcome, detail);
        return queries.stream().map(query -> failed).toList();
    }

    private List<StoreResult> readGenerations(List<StoreQuery> queries) throws IOException, InterruptedException {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            Path generation = generation();
            Path from = generation == null ? directory : directory.resolve(generation);
            List<StoreResult> results =
                    queries.stream().map(query -> read(from, query)).toList();
            if (Objects.equals(generation, generation())) {
                warnOfOwnMounts(queries, results);
                return results;
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
        return same(
                queries, Outcome.UNREACHABLE, "the directory was replaced " + ATTEMPTS + " times while it was read");
    }

    private @Nullable Path generation() throws IOException {
        try {
            return Files.readSymbolicLink(directory.resolve(GENERATION_LINK));
        } catch (NoSuchFileException | NotLinkException plain) {
            return null;
        }
    }

    private void warnOfOwnMounts(List<StoreQuery> queries, List<StoreResult> results) {
        List<String> fresh = new ArrayList<>();
        for (int i = 0; i < queries.size(); i++) {
            String name = queries.get(i).name();
            if (!(results.get(i) instanceof Failed) && inspected.add(name)) {
                fresh.add(name);
            }
        }
        if (fresh.isEmpty()) {
            return;
        }
        try {
            MountPoints mounts = MountPoints.in(mountInfo);
            for (String name : fresh) {
                Path file = directory.resolve(name);
                if (Files.exists(file) && mounts.contains(file)) {
                    log.warn(
                            "The file {} is mounted by itself, by subPath for instance: it will never show a rotation."
                                    + " Mount the whole directory, without subPath",
                            file);
                }
            }
        } catch (IOException failure) {
            log.debug(
                    "Whether files of {} are mounts of their own could not be seen: {}", directory, failure.toString());
        }
    }

    private StoreResult read(Path from, StoreQuery query) {
        String name = query.name();
        Path file;
        try {
            file = from.resolve(name).normalize();
        } catch (InvalidPathException invalid) {
            return StoreResult.failed(Outcome.NOT_FOUND, "'" + name + "' cannot be the name of a file");
        }
        if (name.getBytes(StandardCharsets.UTF_8).length > LONGEST_NAME) {
            return StoreResult.failed(
                    Outcome.NOT_FOUND,
                    "the name of a file has at most " + LONGEST_NAME + " bytes, and this one has more");
        }
        if (!from.equals(file.getParent()) || name.startsWith("..")) {
            return StoreResult.failed(
                    Outcome.ACCESS_DENIED, "'" + name + "' is not the plain name of a file in the directory");
        }
        return readFile(inVersionFolder(file), query);
    }

    /** The file itself, or the one in a folder of versions that stands for it. */
    private static Path inVersionFolder(Path file) {
        if (Files.exists(file.resolve(NEWEST))) {
            return file.resolve(NEWEST);
        }
        String name = file.getFileName().toString();
        if (name.endsWith(COMPANION) && !Files.exists(file)) {
            Path folder = file.resolveSibling(name.substring(0, name.length() - COMPANION.length()));
            Path newest = folder.resolve(NEWEST);
            Path before = folder.resolve(ONE_BEFORE);
            if (Files.exists(newest)) {
                // With one version mounted the companion is of the same material, and thus no other version. It must be
                // there: a secret that has a history is never remembered in place of it.
                return Files.exists(before) ? before : newest;
            }
        }
        return file;
    }

    private StoreResult readFile(Path file, StoreQuery query) {
        String name = query.name();
        byte[] bytes;
        try {
            // Looked at before it is opened: to open a pipe is to wait for its writer.
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            if (!attributes.isRegularFile()) {
                String kind = attributes.isDirectory()
                        ? "a directory without a version 0 in it"
                        : "a pipe, a socket or a device";
                return StoreResult.failed(Outcome.MALFORMED, name + " is not a regular file but " + kind);
            }
            try (InputStream in = Files.newInputStream(file)) {
                bytes = in.readNBytes(MAX_BYTES + 1);
            }
        } catch (NoSuchFileException | NotDirectoryException missing) {
            return StoreResult.failed(Outcome.NOT_FOUND, "there is no file " + name);
        } catch (AccessDeniedException denied) {
            return StoreResult.failed(Outcome.ACCESS_DENIED, "the file " + name + " may not be read by this process");
        } catch (IOException failure) {
            return StoreResult.failed(
                    Outcome.UNREACHABLE,
                    "the file " + name + " could not be read: "
                            + failure.getClass().getName());
        }
        if (bytes.length > MAX_BYTES) {
            return StoreResult.failed(Outcome.MALFORMED, "the file " + name + " is larger than 1 MiB");
        }
        SecretValue value = SecretValue.of(withoutFinalLineBreak(bytes));
        Arrays.fill(bytes, (byte) 0);
        boolean ofHistory = !file.endsWith(name); // a mounted one tells which version was the one before
        Stage stage = ofHistory && file.endsWith(ONE_BEFORE) ? Stage.PREVIOUS : Stage.NONE;
        boolean same = query.known()
                .map(known -> known.versions().get(0))
                .filter(version -> version.stage() == stage)
                .flatMap(StoredVersion::value)
                .map(value::equals)
                .orElse(false);
        if (same) {
            return StoreResult.unchanged();
        }
        String id = mark + "-" + versions.incrementAndGet();
        return StoreResult.found(
                StoredSecret.of(id, List.of(StoredVersion.of(id, value).withStage(stage))));
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
