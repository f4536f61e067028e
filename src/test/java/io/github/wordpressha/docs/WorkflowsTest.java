package io.github.wordpressha.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.wordpressha.helm.Yaml;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The public workflows cannot run in this build, so they call only commands that do. Their syntax is left to actionlint (.ci/run). */
@Tag("render")
class WorkflowsTest {

  private static final Path WORKFLOWS = Path.of(".github/workflows");
  private static final Pattern PROGRAM_OF_OURS = Pattern.compile("(?<![\\w/.])\\.?ci/[\\w/]+");
  private static final Pattern SUITE = Pattern.compile("ci/test ([a-z]+)");
  private static final Pattern PROPERTY = Pattern.compile("-D([\\w.]+)=");
  private static final Pattern TAG = Pattern.compile("@Tag\\(\"([^\"]+)\"\\)");

  @Test
  @DisplayName("each action is pinned by an exact version")
  void actionsArePinned() {
    assertThat(texts("uses")).isNotEmpty().allMatch(action -> action.matches("[\\w/.-]+@v\\d+\\.\\d+\\.\\d+"));
  }

  @Test
  @DisplayName("each program under ci/ that a workflow calls exists")
  void programsExist() {
    assertThat(all(PROGRAM_OF_OURS)).isNotEmpty().allMatch(program -> Files.isExecutable(Path.of(program)));
  }

  @Test
  @DisplayName("each suite that a workflow runs is a tag of tests")
  void suitesExist() {
    Set<String> tags = javaFiles().flatMap(file -> TAG.matcher(SourceFiles.read(file)).results()).map(tag -> tag.group(1)).collect(Collectors.toSet());
    Stream<String> named = texts("run").flatMap(command -> SUITE.matcher(command).results()).map(suite -> suite.group(1));
    Stream<String> inMatrix = workflows().flatMap(workflow -> workflow.findValues("suite").stream()).flatMap(WorkflowsTest::elements).map(JsonNode::asText);
    assertThat(Stream.concat(named, inMatrix)).isNotEmpty().isSubsetOf(tags);
  }

  @Test
  @DisplayName("each property that a workflow gives to Maven is one of pom.xml")
  void propertiesExist() {
    String pom = SourceFiles.read(Path.of("pom.xml"));
    assertThat(texts("run").flatMap(command -> PROPERTY.matcher(command).results()).map(property -> property.group(1)))
        .isNotEmpty().allMatch(property -> pom.contains("${" + property + "}"));
  }

  private static Stream<String> all(Pattern pattern) {
    return texts("run").flatMap(command -> pattern.matcher(command).results()).map(found -> found.group());
  }

  private static Stream<String> texts(String key) {
    return workflows().flatMap(workflow -> workflow.findValuesAsText(key).stream());
  }

  private static Stream<JsonNode> elements(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false);
  }

  private static Stream<JsonNode> workflows() {
    return SourceFiles.below(WORKFLOWS).map(Yaml::readObject);
  }

  private static Stream<Path> javaFiles() {
    return SourceFiles.below(Path.of("src/test/java")).filter(file -> file.toString().endsWith(".java"));
  }
}
