package io.github.wordpressha.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.github.wordpressha.TextFiles;
import io.github.wordpressha.image.ShellScript.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The programs that scripts call are found wherever a shell lets them be, and words of data are not taken for programs. */
@Tag("images")
class ShellScriptTest {

  private static final Path FILES = Path.of("charts/wordpress-ha/files");

  @ParameterizedTest(name = "{0}")
  @DisplayName("a program is found")
  @CsvSource(delimiter = '%', quoteCharacter = '`', textBlock = """
      jq .                                        % jq
      a=1 b="$(jq .)" awk x                       % awk jq
      if ! jq .; then awk x; else sed y; fi       % awk jq sed
      while read -r x; do jq .; done < <(awk x)   % awk jq read
      case $x in jq | awk) sed y ;; *) tr a b ;; esac   % sed tr
      f() { local x; x=$(jq .); }                 % jq local
      [[ $x == (a|b) && -n $y ]] && jq .          % [[ jq
      for ((i = 0; i < $(jq .); i++)); do awk x; done   % awk jq
      for jq in awk sed; do tr a b; done          % tr
      echo "a $(jq "$(awk "b")") c"               % awk echo jq
      echo "${x:-$(jq .)}" 'awk x' \\awk          % echo jq
      jq . 2>awk >>sed <<<"$(tr a b)" &           % jq tr
      exec {watch}< <(jq .)                       % exec jq
      exec timeout 5 jq .                         % exec jq timeout
      find . -print0 | xargs -0 touch             % find touch xargs
      find . -print0 | xargs -0r -P 4 -n 64 cp -P % cp find xargs
      trap 'jq .' TERM                            % jq trap
      sh -c 'jq . | awk x'                        % awk jq sh
      socat TCP-LISTEN:1 EXEC:"bash $here/x.sh"   % bash socat
      coproc connection { exec socat - "$x"; }    % exec socat
      (cd /x && jq .)                             % cd jq
      a=${b#*'"x":['} c=${d##'"'}; jq .            % jq
      list=(jq awk) # sed                         % ``
      x=$((1 + $(jq .)))                          % jq
      """)
  void findsPrograms(String script, String programs) {
    assertThat(names(ShellScript.parse(script))).isEqualTo(Stream.of(programs.split(" ")).filter(p -> !p.isEmpty()).collect(Collectors.toSet()));
  }

  @Test
  @DisplayName("the text of a here document is data, and what it substitutes is not")
  void readsHereDocuments() {
    var script = ShellScript.parse("cat <<E >x\nawk $(jq .)\nE\nsed y <<'E'\ntr a b\nE\n");
    assertThat(names(script)).containsExactlyInAnyOrder("cat", "jq", "sed");
  }

  @Test
  @DisplayName("a command knows its function, its options, and what variables stand for")
  void knowsContext() {
    var script = ShellScript.parse(": \"${SERVER:=mysqld}\"\nclient=(mysql --batch)\nclient+=(--force)\nserve() {\n  \"$SERVER\" --port=1 -x\n}\nserve\n");
    assertThat(script.values()).isEqualTo(Map.of("SERVER", List.of("mysqld"), "client", List.of("mysql", "--batch", "--force")));
    assertThat(script.functions()).containsExactly("serve");
    assertThat(script.commands()).extracting(Command::within, Command::name)
        .containsExactly(tuple("", ":"), tuple("serve", "$SERVER"), tuple("", "serve"));
    assertThat(script.commands().get(1).options()).containsExactly("--port");
    assertThat(ShellScript.parse("timeout -k 1 5 jq --arg").commands()).extracting(Command::name, Command::options)
        .containsExactly(tuple("timeout", List.of()), tuple("jq", List.of("--arg")));
  }

  @Test
  @DisplayName("a program that is added to any script of the chart is found")
  void findsAddedPrograms() throws IOException {
    try (Stream<Path> files = Files.walk(FILES)) {
      List<String> scripts = files.filter(f -> f.toString().endsWith(".sh")).map(TextFiles::read).toList();
      assertThat(scripts).hasSizeGreaterThan(40).allMatch(text -> ShellScript.parse(text + "\nadded-program\n").commands().contains(new Command("", "added-program", List.of())));
    }
  }

  private static Set<String> names(ShellScript script) {
    return script.commands().stream().map(Command::name).collect(Collectors.toSet());
  }
}
