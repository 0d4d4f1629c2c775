package io.dualkey.docs;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaModifier.PROTECTED;
import static com.tngtech.archunit.core.domain.JavaModifier.PUBLIC;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.lang.conditions.ArchPredicates.are;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** Holds the modules to the directions of dependency that the architecture page promises. */
class ArchitectureTest {

    private static final String ROOT = "io.dualkey.secrets";
    private static final String AZURE = ROOT + ".azure..";
    private static final String AWS = ROOT + ".aws..";
    private static final String JWT = ROOT + ".jwt..";
    private static final String JDBC = ROOT + ".jdbc..";
    private static final String STARTER = ROOT + ".spring..";
    private static final String MICROMETER = ROOT + "..micrometer..";

    private static final String[] CLOUD = {
        "com.amazonaws..", "com.azure..", "com.google.cloud..", "software.amazon.awssdk.."
    };
    private static final String SPRING = "org.springframework..";
    private static final String JOSE = "com.nimbusds..";
    private static final String POOL = "com.zaxxer..";

    private static final JavaClasses DUALKEY = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(ROOT);

    /** An import that finds nothing would make every rule below pass. */
    @Test
    void seesEveryPublishedModule() {
        Set<String> packages = DUALKEY.stream().map(JavaClass::getPackageName).collect(Collectors.toSet());

        assertThat(packages)
                .contains(ROOT, ROOT + ".azure", ROOT + ".aws", ROOT + ".jwt", ROOT + ".jdbc", ROOT + ".spring");
    }

    @Test
    void packagesAreFreeOfCycles() {
        check(slices().matching("(**)").should().beFreeOfCycles());
    }

    @Test
    void coreDependsOnNoCloudSdkSpringJoseOrPool() {
        check(noClasses()
                .that()
                .resideOutsideOfPackages(AZURE, AWS, JWT, JDBC, STARTER)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(with(CLOUD, SPRING, JOSE, POOL, AZURE, AWS, JWT, JDBC, STARTER)));
    }

    @Test
    void micrometerIsKnownToItsAdaptersAndTheStarterOnly() {
        check(noClasses()
                .that()
                .resideOutsideOfPackages(MICROMETER, STARTER)
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.micrometer.."));
    }

    @Test
    void azureDependsOnCoreAndTheAzureSdkOnly() {
        check(noClasses()
                .that()
                .resideInAPackage(AZURE)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "com.amazonaws..",
                        "com.google.cloud..",
                        "software.amazon.awssdk..",
                        SPRING,
                        JOSE,
                        POOL,
                        AWS,
                        JWT,
                        JDBC,
                        STARTER));
    }

    @Test
    void awsDependsOnCoreAndTheAwsSdkOnly() {
        check(noClasses()
                .that()
                .resideInAPackage(AWS)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "com.azure..", "com.google.cloud..", SPRING, JOSE, POOL, AZURE, JWT, JDBC, STARTER));
    }

    @Test
    void jwtDependsOnCoreOnly() {
        check(noClasses()
                .that()
                .resideInAPackage(JWT)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(with(CLOUD, SPRING, POOL, AZURE, AWS, JDBC, STARTER)));
    }

    @Test
    void jdbcDependsOnCoreOnly() {
        check(noClasses()
                .that()
                .resideInAPackage(JDBC)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(with(CLOUD, SPRING, JOSE, AZURE, AWS, JWT, STARTER)));
    }

    @Test
    void springAppearsInTheStarterOnly() {
        check(noClasses()
                .that()
                .resideOutsideOfPackage(STARTER)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(SPRING));
    }

    /** In the starter only the two classes that look for a client of the application's own. */
    @Test
    void cloudSdksAppearInTheirModulesOnly() {
        check(noClasses()
                .that()
                .resideOutsideOfPackages(AZURE, AWS)
                .and()
                .doNotHaveSimpleName("AzureKeyVaultAutoConfiguration")
                .and()
                .doNotHaveSimpleName("AwsSecretsManagerAutoConfiguration")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(CLOUD));
    }

    /** Interop classes are the exception, and their names say so: they contain "Nimbus". */
    @Test
    void jwtShowsNoNimbusTypeToItsUsers() {
        check(classes()
                .that()
                .resideInAPackage(JWT)
                .and()
                .haveSimpleNameNotContaining("Nimbus")
                .should(showNoTypeOf(JOSE)));
    }

    @Test
    void noPackageIsNamedImplOrUtil() {
        check(noClasses()
                .should()
                .resideInAnyPackage("..impl..", "..internal..", "..util..", "..utils..")
                .because("a package is named after what it is about"));
    }

    @Test
    void everyPackageIsNullMarked() {
        check(classes().should(new ArchCondition<>("reside in a package that is @NullMarked") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                boolean marked = type.getPackage().isAnnotatedWith(NullMarked.class);
                events.add(new SimpleConditionEvent(
                        type, marked, type.getName() + " resides in " + type.getPackageName()));
            }
        }));
    }

    /**
     * Serialization would carry a secret out of the process; exceptions and enums cannot help being Serializable, and nor can
     * the chance that a generator of keys is given in order to compute a public half: its one field is transient.
     */
    @Test
    void nothingIsSerializableExceptExceptionsAndEnums() {
        check(classes()
                .that(are(not(assignableTo(Throwable.class).or(assignableTo(Enum.class)))))
                .and(not(name("io.dualkey.secrets.jwt.PublicHalf$Chosen")))
                .should()
                .notBeAssignableTo(Serializable.class));
    }

    private static ArchCondition<JavaClass> showNoTypeOf(String forbidden) {
        return new ArchCondition<>("show no type of " + forbidden + " in a public signature") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                if (!isVisible(type)) {
                    return;
                }
                Stream<JavaType> supertypes =
                        Stream.concat(type.getSuperclass().stream(), type.getInterfaces().stream());
                Stream<JavaType> signatures = type.getMembers().stream()
                        .filter(ArchitectureTest::isVisible)
                        .flatMap(ArchitectureTest::signature);
                Stream.concat(supertypes, signatures)
                        .flatMap(shown -> shown.getAllInvolvedRawTypes().stream())
                        .distinct()
                        .filter(resideInAnyPackage(forbidden))
                        .forEach(shown -> events.add(
                                SimpleConditionEvent.violated(type, type.getName() + " shows " + shown.getName())));
            }
        };
    }

    private static boolean isVisible(JavaClass type) {
        boolean enclosed =
                type.getEnclosingClass().map(ArchitectureTest::isVisible).orElse(true);
        return enclosed
                && (type.getModifiers().contains(PUBLIC) || type.getModifiers().contains(PROTECTED));
    }

    private static boolean isVisible(JavaMember member) {
        return member.getModifiers().contains(PUBLIC) || member.getModifiers().contains(PROTECTED);
    }

    private static Stream<JavaType> signature(JavaMember member) {
        if (member instanceof JavaField field) {
            return Stream.of(field.getType());
        }
        JavaCodeUnit unit = (JavaCodeUnit) member;
        return Stream.of(List.of(unit.getReturnType()), unit.getParameterTypes(), unit.getExceptionTypes())
                .flatMap(Collection::stream);
    }

    private static String[] with(String[] first, String... more) {
        return Stream.concat(Arrays.stream(first), Arrays.stream(more)).toArray(String[]::new);
    }

    private static void check(ArchRule rule) {
        rule.check(DUALKEY);
    }
}
