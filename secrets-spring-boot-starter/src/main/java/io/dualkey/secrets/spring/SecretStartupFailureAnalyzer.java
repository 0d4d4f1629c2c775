package io.dualkey.secrets.spring;

import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.SecretStartupException;
import io.dualkey.secrets.SecretState;
import io.dualkey.secrets.SecretStatus;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.env.Environment;

/** Lists every secret that kept the application from starting, with the property that names it and what to do. */
final class SecretStartupFailureAnalyzer extends AbstractFailureAnalyzer<SecretStartupException> {

    private final Environment environment;

    SecretStartupFailureAnalyzer(Environment environment) {
        this.environment = environment;
    }

    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, SecretStartupException cause) {
        List<SecretStatus> problems = cause.problems();
        String description = problems.stream()
                .map(problem -> "\n  - '" + problem.name() + "'" + namedBy(problem.name()) + ": " + what(problem))
                .collect(Collectors.joining());
        String count = problems.size() == 1 ? "1 secret" : problems.size() + " secrets";
        return new FailureAnalysis(count + " could not be loaded:\n" + description, action(problems), cause);
    }

    private static String what(SecretStatus problem) {
        return problem.state() == SecretState.LOADING
                ? "no answer in time from " + problem.store() + "; " + Outcome.UNREACHABLE.advice()
                : problem.detail();
    }

    private String action(List<SecretStatus> problems) {
        String action = "Do for each secret what its line says, and start the application again.";
        boolean late = problems.stream()
                .anyMatch(problem -> problem.state() == SecretState.LOADING
                        || problem.outcome()
                                .filter(outcome -> outcome == Outcome.UNREACHABLE || outcome == Outcome.THROTTLED)
                                .isPresent());
        return late ? action + " If the store only needs more time, raise dualkey.startup-timeout." : action;
    }

    private String namedBy(String secret) {
        Binder binder = Binder.get(environment);
        for (String property : List.of("dualkey.jwt.secret", "dualkey.jwt.signer.secret")) {
            if (names(binder.bind(property, String.class).orElse(""), secret)) {
                return " (" + property + ")";
            }
        }
        for (var jdbc : JdbcSecrets.references(environment).entrySet()) {
            if (names(jdbc.getValue(), secret)) {
                return " (" + jdbc.getKey() + ")";
            }
        }
        boolean listed = SecretBeans.listed(environment).stream().anyMatch(entry -> names(entry.where(), secret));
        return listed ? " (dualkey.secrets)" : "";
    }

    /** Whether a reference is to this secret, or to a field of it. */
    private static boolean names(@Nullable String reference, String secret) {
        return reference != null && (reference.equals(secret) || reference.startsWith(secret + "#"));
    }
}
