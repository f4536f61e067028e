package io.github.wordpressha.effects;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The threat model in SECURITY.md: each barrier names its tests, and where there is none the table says so. */
@Tag("render")
@Tag("security")
class ThreatModelTest {

  private static final Pattern NAMED = Pattern.compile("`(\\w+#\\w+)`");
  private static final String NOTHING = "*Nothing*";

  /** One row: who wants what, what stops it, and the tests that show it. */
  record Threat(String who, String wants, String barrier, List<String> tests) {

    static Threat of(String row) {
      String[] cells = row.substring(1).split("\\|");
      return new Threat(cells[0].strip(), cells[1].strip(), cells[2].strip(), NAMED.matcher(cells[3]).results().map(found -> found.group(1)).toList());
    }
  }

  private final List<Threat> threats = threats();

  @Test
  @DisplayName("each named test exists")
  void testsExist() {
    assertThat(threats).flatExtracting(Threat::tests).isNotEmpty().allSatisfy(test -> assertThat(EffectsTest.isTest((String) test, type -> true)).as("%s", test).isTrue());
  }

  @Test
  @DisplayName("a barrier is shown by a test; where nothing stops it, the row says so and what is left to do")
  void nothingIsClaimedWithoutATest() {
    assertThat(threats).allMatch(threat -> !threat.tests().isEmpty() || threat.barrier().matches("\\*Nothing\\*: .{20,}"), "has a test, or says that nothing stops it");
    assertThat(threats).filteredOn(threat -> threat.barrier().startsWith(NOTHING)).allMatch(threat -> threat.tests().isEmpty(), "has no test of nothing");
  }

  @Test
  @DisplayName("everyone who could do harm is there")
  void everyoneIsThere() {
    assertThat(threats).extracting(Threat::who).extracting(who -> who.replaceFirst(",.*", "")).contains("visitor", "author", "administrator of the site",
        "code in a WordPress pod", "another tenant's pod", "client outside of the cluster", "root on a node", "reader of the namespace's Secrets", "reader of backups");
    assertThat(threats).extracting(Threat::who, Threat::wants).doesNotHaveDuplicates();
  }

  private static List<Threat> threats() {
    try (Stream<String> lines = Files.lines(Path.of("SECURITY.md"))) {
      return lines.dropWhile(line -> !line.equals("## Threat model")).skip(1).takeWhile(line -> !line.startsWith("## "))
          .filter(line -> line.startsWith("|")).skip(2).map(Threat::of).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
