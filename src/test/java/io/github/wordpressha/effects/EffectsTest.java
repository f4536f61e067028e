package io.github.wordpressha.effects;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.wordpressha.cluster.Probes;
import io.github.wordpressha.effects.Effects.Entry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.platform.commons.annotation.Testable;
import org.junit.platform.commons.support.AnnotationSupport;

/** Every effect that a document or a value promises has a witness, and effects.yaml names it. */
@Tag("render")
class EffectsTest {

  private static final Path TESTS = Path.of("src/test/java");
  private static final Set<String> KINDS = Set.of("witness", "probe", "build", "none", "unproved");
  /** Lower it when an effect gets its witness. */
  private static final int MOST_UNPROVED = 18;

  private final Map<String, List<String>> promises = Promises.all();
  private final Map<String, Map<String, Entry>> effects = Effects.read();

  @Test
  @DisplayName("the list has every sentence of the documents and every value, and no other (refresh: mvn test -Dtest=EffectsTest -Dgolden.update=true)")
  void listIsComplete() throws IOException {
    if (Boolean.getBoolean("golden.update")) {
      Files.writeString(Effects.FILE, Effects.write(promises, effects));
      return;
    }
    var wrong = new ArrayList<String>();
    promises.forEach((document, all) -> {
      Map<String, Entry> known = effects.getOrDefault(document, Map.of());
      all.stream().filter(one -> !known.containsKey(one)).forEach(one -> wrong.add(document + " promises, without an entry: " + one));
      known.forEach((one, entry) -> {
        if (!all.contains(one)) {
          wrong.add("%s no longer says: %s (%s)".formatted(document, one, entry));
        }
      });
    });
    assertThat(wrong).isEmpty();
    assertThat(effects.keySet()).isEqualTo(promises.keySet());
  }

  @Test
  @DisplayName("every entry has a witness that exists, or a reason")
  void witnessesExist() {
    var wrong = new ArrayList<String>();
    effects.forEach((document, entries) -> entries.forEach((one, entry) ->
        problems(entry).forEach(problem -> wrong.add("%s: %s: %s".formatted(document, one, problem)))));
    assertThat(wrong).isEmpty();
  }

  @Test
  @DisplayName("no more effects are unproved than before, and no probe of EffectsIT is without an effect")
  void fewAreUnproved() {
    List<Entry> entries = effects.values().stream().flatMap(all -> all.values().stream()).toList();
    long unproved = entries.stream().filter(entry -> entry.kinds().containsKey("unproved")).count();
    long proved = entries.stream().filter(entry -> Stream.of("witness", "probe", "build").anyMatch(entry.kinds()::containsKey)).count();
    System.out.printf("effects: %d proved, %d unproved, %d entries without an effect%n", proved, unproved, entries.stream().filter(entry -> entry.kinds().containsKey("none")).count());
    assertThat(unproved).as("unproved effects").isLessThanOrEqualTo(MOST_UNPROVED);
    assertThat(Probes.names()).as("probes that effects.yaml names").allMatch(name -> entries.stream().anyMatch(entry -> entry.of("probe").contains(name)));
  }

  @Test
  @DisplayName("a document is taken apart into headings, sentences, rows of tables and blocks of code")
  void takesDocumentsApart() {
    assertThat(Promises.markdown("""
        # A title
        One sentence about `a.b`, on
        two lines. **Another one.** (A third one.) And then:

            a command
            another command

        - An item. With two sentences.
        1. A step

        | a | b |
        |---|---|
        | a row | that ends. Here |
        """)).containsExactly(
        "# A title", "One sentence about `a.b`, on two lines.", "**Another one.**", "(A third one.)", "And then:", "a command another command",
        "An item.", "With two sentences.", "A step", "| a row | that ends. Here |");
  }

  private static List<String> problems(Entry entry) {
    var problems = new ArrayList<String>();
    var unknown = new TreeSet<>(entry.kinds().keySet());
    unknown.removeAll(KINDS);
    unknown.forEach(kind -> problems.add("unknown kind: " + kind));
    if (entry.kinds().isEmpty() || entry.kinds().size() > 1 && entry.kinds().containsKey("none")) {
      problems.add("write witnesses, or why there is none");
    }
    Stream.of("none", "unproved").flatMap(kind -> entry.of(kind).stream()).filter(String::isBlank).forEach(one -> problems.add("no reason"));
    entry.of("witness").stream().filter(witness -> !isTest(witness, EffectsTest::isOnCluster)).forEach(witness -> problems.add("no test on a cluster: '" + witness + "'"));
    entry.of("build").stream().filter(witness -> !isTest(witness, type -> !isOnCluster(type))).forEach(witness -> problems.add("no test of the build: '" + witness + "'"));
    entry.of("probe").stream().filter(name -> !Probes.names().contains(name)).forEach(name -> problems.add("no probe of EffectsIT: '" + name + "'"));
    return problems;
  }

  /** Whether {@code Class#method} is a test in a class of this kind. */
  static boolean isTest(String witness, Predicate<Class<?>> kind) {
    String[] names = witness.split("#", 2);
    return names.length == 2 && type(names[0]).filter(kind)
        .map(type -> Arrays.stream(type.getDeclaredMethods()))
        .orElse(Stream.empty())
        .anyMatch(method -> method.getName().equals(names[1]) && AnnotationSupport.isAnnotated(method, Testable.class));
  }

  private static boolean isOnCluster(Class<?> type) {
    return Arrays.stream(type.getAnnotations()).anyMatch(annotation -> annotation.annotationType().getSimpleName().equals("OnCluster"));
  }

  private static Optional<Class<?>> type(String simpleName) {
    try (Stream<Path> files = Files.walk(TESTS)) {
      Optional<Path> file = files.filter(path -> path.endsWith(simpleName + ".java")).findFirst();
      if (file.isEmpty()) {
        return Optional.empty();
      }
      String name = TESTS.relativize(file.get()).toString().replaceFirst("\\.java$", "").replace('/', '.');
      return Optional.of(Class.forName(name, false, EffectsTest.class.getClassLoader()));
    } catch (IOException | ClassNotFoundException e) {
      throw new IllegalStateException(simpleName, e);
    }
  }
}
