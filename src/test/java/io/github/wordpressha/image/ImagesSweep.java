package io.github.wordpressha.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.github.wordpressha.Profiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** ci/images verify accepts the stand-ins of ci/testbed, and refuses an image that lacks something. */
@Tag("images")
class ImagesSweep {

  private static final String HAPROXY = "library/haproxy";
  private static final String MYSQL = "library/mysql";
  private static final String NGINX = "library/nginx";
  private static final String WORDPRESS = "library/wordpress";
  private static final String XTRABACKUP = "percona/percona-xtrabackup";
  private static final String PXC = "percona/percona-xtradb-cluster";
  private static final String NFS = "sig-storage/nfs-provisioner";
  private static final String ETCD = "coreos/etcd";

  /**
   * An image with a fault.
   *
   * @param repository the image
   * @param mutation a shell command in the root of its file system
   * @param container where the fault is noticed
   * @param refusal what the verifier says
   */
  private record Mutant(String repository, String mutation, String container, String refusal) {
    @Override
    public String toString() {
      return repository + ": " + mutation;
    }
  }

  private static final List<Mutant> MUTANTS = List.of(
      new Mutant(PXC, "rm usr/bin/jq", "recorder", "refused: program jq"),
      new Mutant(XTRABACKUP, "rm usr/bin/socat", "xtrabackup", "refused: program socat"),
      new Mutant(NFS, "mv nfs-provisioner usr/bin/", "nfs", "refused: program /nfs-provisioner"),
      new Mutant(NFS, "ln -sf dash bin/bash", "nfs", "refused: script /scripts/drain.sh bash -n"),
      new Mutant(HAPROXY, "sed -i s/:99:/:199:/ etc/passwd", "router", "refused: user haproxy 99: the image says 199"),
      new Mutant(MYSQL, "sed -i s/:999:/:998:/ etc/passwd", "mysql", "refused: user mysql 999: the image says 998"),
      new Mutant(XTRABACKUP, "sed -i 's/|no-version-check//' usr/bin/xtrabackup", "xtrabackup", "refused: option xtrabackup --no-version-check"),
      new Mutant(PXC, "sed -i /^pxc-strict-mode$/d usr/libexec/engine/options", "mysql", "refused: accepts mysqld --validate-config"),
      new Mutant(PXC, "chown 0 etc/mysql/node.cnf && chmod 600 etc/mysql/node.cnf", "seed-config", "refused: readable /etc/mysql/node.cnf"),
      new Mutant(WORDPRESS, "rm usr/local/etc/php/conf.d/*mysqli*", "prepare", "refused: extension mysqli"),
      new Mutant(NGINX, "rm etc/nginx/mime.types", "nginx", "refused: accepts nginx -t"),
      new Mutant(HAPROXY, "cd usr/local/sbin && mv haproxy real && printf '#!/bin/sh\\n: >/var/lib/started && exec real \"$@\"\\n' >haproxy && chmod 755 haproxy",
          "router", "Read-only file system"),
      new Mutant(ETCD, "chmod 600 usr/local/bin/etcd", "etcd", "refused: starts /usr/local/bin/etcd"));

  private static List<ImageUse> uses;

  @TempDir
  private Path directory;

  @BeforeAll
  static void findStandIns() throws Exception {
    uses = ImageUses.withoutRepeats(WriteImageUses.read(Profiles.CHART_DIRECTORY, Profiles.VALUES_DIRECTORY).stream());
    String images = String.join(" ", uses.stream().map(ImageUse::image).distinct().toList());
    assumeThat(run("[ \"$(id -u)\" = 0 ] && command -v buildah && for i in " + images + "; do buildah inspect --type image $i || exit 1; done").status())
        .as("the stand-ins of ci/testbed/images are built, and this user may enter them").isZero();
  }

  @Test
  @DisplayName("every fact holds in the stand-ins")
  void standInsHold() throws Exception {
    WriteImageUses.write(uses, directory);
    Outcome verified = run("ci/images verify --stand-ins", directory);
    assertThat(verified.status()).as(verified.text()).isZero();
    assertThat(verified.text()).doesNotContain("refused:").contains(", 0 refused");
  }

  static Stream<Mutant> mutants() {
    return MUTANTS.stream();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("mutants")
  @DisplayName("an image with a fault is refused, with the fault named")
  void mutantIsRefused(Mutant mutant) throws Exception {
    List<ImageUse> concerned = uses.stream()
        .filter(u -> u.repository().equals(mutant.repository()) && u.container().equals(mutant.container())).limit(1).toList();
    WriteImageUses.write(concerned, directory);
    String container = run("buildah from --pull-never " + concerned.get(0).image()).text().strip();
    try {
      String root = run("buildah mount " + container).text().strip();
      assertThat(run("cd " + root + " && " + mutant.mutation()).status()).as("the mutation itself").isZero();
      Outcome refused = run("ci/images verify --root " + root + " " + concerned.get(0).image(), directory);
      assertThat(refused.status()).as(refused.text()).isEqualTo(1);
      assertThat(refused.text()).contains(mutant.refusal());
    } finally {
      run("buildah rm " + container);
    }
  }

  private record Outcome(int status, String text) {}

  private static Outcome run(String command) throws IOException, InterruptedException {
    return run(command, Path.of("/nonexistent"));
  }

  private static Outcome run(String command, Path uses) throws IOException, InterruptedException {
    var builder = new ProcessBuilder("bash", "-c", command).redirectErrorStream(true);
    builder.environment().put("IMAGE_USES", uses.toString());
    Process process = builder.start();
    process.getOutputStream().close();
    String text = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    return new Outcome(process.exitValue(), text);
  }
}
