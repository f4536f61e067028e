package io.github.wordpressha.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Overrides that platform teams of other charts really made, and learned of in production: here they learn of them at once. */
@Tag("cli")
class OverridesTest {

  @ParameterizedTest(name = "{0}")
  @DisplayName("a wrong override is caught with a sentence that says what to do")
  @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
      several pods on a volume that one node can have | {nfs: {enabled: false}, wordpress: {content: {accessMode: ReadWriteOnce}}} | 3 | ReadWriteOnce
      a number of etcd members that has no majority   | {etcd: {replicas: 2}}                                                       | 3 | etcd
      members on different nodes, of which there are too few | {database: {spread: required}}                                       | 2 | pods must be on different nodes, and there are 2
      an image that is another one tomorrow           | {wordpress: {image: {tag: latest}}}                                         | 3 | Fix a version or a digest.
      a limit below what is requested                 | {database: {resources: {requests: {cpu: 1, memory: 4Gi}, limits: {memory: 2Gi}}}} | 3 | Raise the limit or lower the request.
      a value that is not there (an old name)         | {wordpress: {replicaCount: 5}}                                              | 3 | replicaCount
      """)
  void isCaught(String what, String values, String nodes, String sentence, @TempDir Path directory) throws Exception {
    Path file = Files.writeString(directory.resolve("values.yaml"), values);
    var out = new StringWriter();
    int code = Main.run(new PrintWriter(out), new PrintWriter(out), "check", "--strict", "-f", file.toString(), "--nodes", nodes);
    assertThat(code).as(what).isIn(Main.FOUND, Main.UNUSABLE);
    assertThat(out.toString()).contains(sentence);
  }
}
