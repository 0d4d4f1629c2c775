package io.dualkey.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.spring.DualkeyJdbcProperties;
import io.dualkey.secrets.spring.DualkeyJwtProperties;
import io.dualkey.secrets.spring.DualkeyProperties;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.context.properties.bind.BindHandler;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.handler.NoUnboundElementsBindHandler;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.PropertySource;
import org.springframework.core.io.ByteArrayResource;

/** All YAML of the documentation sets properties that there are, to values that they take. */
class ConfigurationSnippetsTest {

    private static final Pattern SNIPPET = Pattern.compile("# snippet: (\\S+)\n(.*?)\n# end", Pattern.DOTALL);
    private static final Pattern NAME = Pattern.compile("\"name\": \"([a-z0-9.-]+)\"");

    static Stream<Arguments> snippets() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("src/main/resources"))) {
            return files.filter(file -> file.toString().endsWith(".yaml")).sorted().toList().stream()
                    .flatMap(file -> SNIPPET.matcher(Pages.read(Path.of("docs").resolve(file)))
                            .results()
                            .map(snippet -> Arguments.of(file.getFileName(), snippet.group(1), snippet.group(2))));
        }
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("snippets")
    void setsWhatThereIs(Path file, String name, String yaml) throws IOException {
        Map<String, Object> properties = load(yaml);
        assertThat(properties).isNotEmpty();
        Set<String> known = known();
        assertThat(properties.keySet())
                .allSatisfy(property -> assertThat(known)
                        .as("a known property for %s", property)
                        .anyMatch(one -> property.equals(one)
                                || property.startsWith(one + ".")
                                || property.startsWith(one + "[")));

        Predicate<String> jwt = property -> property.startsWith("dualkey.jwt.");
        Predicate<String> jdbc = property -> property.startsWith("dualkey.jdbc.");
        Predicate<String> ours = property -> property.startsWith("dualkey.");
        bind(properties, jwt, "dualkey.jwt", DualkeyJwtProperties.class);
        bind(properties, jdbc, "dualkey.jdbc", DualkeyJdbcProperties.class);
        bind(properties, ours.and(jwt.or(jdbc).negate()), "dualkey", DualkeyProperties.class);
    }

    private static Map<String, Object> load(String yaml) throws IOException {
        List<PropertySource<?>> sources = new YamlPropertySourceLoader()
                .load("yaml", new ByteArrayResource(yaml.getBytes(StandardCharsets.UTF_8)));
        Map<String, Object> properties = new LinkedHashMap<>();
        for (PropertySource<?> source : sources) {
            for (String property : ((EnumerablePropertySource<?>) source).getPropertyNames()) {
                properties.put(property, String.valueOf(source.getProperty(property)));
            }
        }
        return properties;
    }

    /** Binds, and fails on a property that is not known. */
    private static void bind(Map<String, Object> properties, Predicate<String> which, String prefix, Class<?> type) {
        Map<String, Object> chosen = new TreeMap<>(properties);
        chosen.keySet().removeIf(which.negate());
        if (!chosen.isEmpty()) {
            var sources = ConfigurationPropertySources.from(new MapPropertySource("yaml", chosen));
            assertThat(new Binder(sources)
                            .bind(prefix, Bindable.of(type), new NoUnboundElementsBindHandler(BindHandler.DEFAULT))
                            .isBound())
                    .isTrue();
        }
    }

    private static Set<String> known() throws IOException {
        Set<String> known = new TreeSet<>();
        for (var file : Collections.list(
                DualkeyProperties.class.getClassLoader().getResources("META-INF/spring-configuration-metadata.json"))) {
            try (var in = file.openStream()) {
                String metadata = new String(in.readAllBytes(), StandardCharsets.UTF_8);
                Matcher name = NAME.matcher(metadata.substring(metadata.indexOf("\"properties\"")));
                while (name.find()) {
                    known.add(name.group(1));
                }
            }
        }
        return known;
    }
}
