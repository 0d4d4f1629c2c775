package io.dualkey.secrets.spring;

import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.InjectionPoint;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.beans.factory.UnsatisfiedDependencyException;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.MergedAnnotation;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.core.env.Environment;

/** Says which secrets there are where a bean wants another, or one in a form that there is none of. */
final class UnknownSecretFailureAnalyzer extends AbstractFailureAnalyzer<NoSuchBeanDefinitionException>
        implements Ordered {

    private final Environment environment;

    UnknownSecretFailureAnalyzer(Environment environment) {
        this.environment = environment;
    }

    @Override
    protected @Nullable FailureAnalysis analyze(Throwable rootFailure, NoSuchBeanDefinitionException cause) {
        UnsatisfiedDependencyException wanted = innermost(rootFailure);
        InjectionPoint point = wanted == null ? null : wanted.getInjectionPoint();
        if (point == null) {
            return null;
        }
        MergedAnnotation<Secret> secret =
                MergedAnnotations.from(point.getAnnotations()).get(Secret.class);
        if (!secret.isPresent()) {
            return null;
        }
        String name = secret.getString(MergedAnnotation.VALUE);
        List<String> names = SecretBeans.listed(environment).stream()
                .map(DualkeyProperties.Secret::name)
                .filter(Objects::nonNull)
                .map(String::valueOf)
                .toList();
        return names.contains(name) ? inAnotherForm(name, point, cause) : unknown(name, point, names, cause);
    }

    private static FailureAnalysis unknown(String name, InjectionPoint point, List<String> names, Throwable cause) {
        String listed = names.isEmpty()
                ? "That list is empty."
                : "It lists " + names.stream().map(one -> "'" + one + "'").collect(Collectors.joining(", ")) + ".";
        return new FailureAnalysis(
                place(point) + " wants the secret '" + name + "', which dualkey.secrets does not list. " + listed,
                "Add '" + name + "' to dualkey.secrets, also where another property such as dualkey.jwt.secret names it"
                        + " already, or correct @Secret(\"" + name + "\").",
                cause);
    }

    private static FailureAnalysis inAnotherForm(String name, InjectionPoint point, Throwable cause) {
        return new FailureAnalysis(
                place(point) + " wants the secret '" + name + "' in a form that it cannot be injected in.",
                "What is injected is a handle that follows rotations, and no value: declare it as Rotating<String>,"
                        + " Rotating<SecretValue> or RotatingSecret, and read current() each time it is used.",
                cause);
    }

    private static String place(InjectionPoint point) {
        return point.getMember().getDeclaringClass().getName();
    }

    private static @Nullable UnsatisfiedDependencyException innermost(Throwable failure) {
        UnsatisfiedDependencyException found = null;
        for (Throwable one = failure; one != null; one = one.getCause()) {
            if (one instanceof UnsatisfiedDependencyException unsatisfied) {
                found = unsatisfied;
            }
        }
        return found;
    }

    /** Before the general one, which knows nothing of secrets. */
    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE;
    }
}
