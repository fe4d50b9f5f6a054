package ai.lockstep.jobs;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import org.jspecify.annotations.NullMarked;

/** The arrows between modules and packages, which Maven's scopes alone cannot draw. */
@AnalyzeClasses(packages = "ai.lockstep", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

  private static final String SPARK = "org.apache.spark..";
  private static final String DJL = "ai.djl..";

  @ArchTest
  static final ArchRule decodingKnowsNeitherSparkNorDjl =
      noClasses()
          .that()
          .resideInAnyPackage(
              "ai.lockstep.udf.decode..", "ai.lockstep.udf.rollout..", "ai.lockstep.udf.model")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(SPARK, DJL);

  @ArchTest
  static final ArchRule decodingKnowsOnlyTheModelsInterface =
      noClasses()
          .that()
          .resideInAPackage("ai.lockstep.udf.decode..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "ai.lockstep.udf.model.torch..",
              "ai.lockstep.udf.checkpoint..",
              "ai.lockstep.udf.replica..",
              "ai.lockstep.udf.spark..");

  @ArchTest
  static final ArchRule harnessKnowsNeitherSparkNorDjl =
      noClasses()
          .that()
          .resideInAPackage("ai.lockstep.harness..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(SPARK, DJL, "ai.lockstep.udf..", "ai.lockstep.jobs..");

  @ArchTest
  static final ArchRule datasetsKnowNothingAbove =
      noClasses()
          .that()
          .resideInAnyPackage("ai.lockstep.datasets..", "ai.lockstep.failure..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              SPARK, DJL, "ai.lockstep.harness..", "ai.lockstep.udf..", "ai.lockstep.jobs..");

  @ArchTest
  static final ArchRule udfKnowsNeitherHarnessNorJobs =
      noClasses()
          .that()
          .resideInAPackage("ai.lockstep.udf..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("ai.lockstep.harness..", "ai.lockstep.jobs..");

  @ArchTest
  static final ArchRule onlyUdfSparkImportsSparkInUdf =
      noClasses()
          .that()
          .resideInAPackage("ai.lockstep.udf..")
          .and()
          .resideOutsideOfPackage("ai.lockstep.udf.spark..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage(SPARK);

  @ArchTest
  static final ArchRule configurationKnowsNoSpark =
      noClasses()
          .that()
          .resideInAPackage("ai.lockstep.jobs.config..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage(SPARK);

  @ArchTest
  static final ArchRule noClassIsCalledByWhatItIsNotAbout =
      classes()
          .should()
          .haveSimpleNameNotEndingWith("Util")
          .andShould()
          .haveSimpleNameNotEndingWith("Utils")
          .andShould()
          .haveSimpleNameNotEndingWith("Helper");

  @ArchTest
  static void everyPackageIsNullMarked(JavaClasses classes) {
    List<String> unmarked =
        classes.getPackage("ai.lockstep").getSubpackagesInTree().stream()
            .filter(folder -> !folder.getClasses().isEmpty())
            .filter(folder -> !folder.isAnnotatedWith(NullMarked.class))
            .map(JavaPackage::getName)
            .sorted()
            .toList();
    assertThat(unmarked).isEmpty();
  }
}
