package io.github.wordpressha.publish;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The {@code gpg} program with one throw-away key that needs no passphrase. */
public final class Gpg implements AutoCloseable {

  /** Whose key it is. */
  public static final String ADDRESS = "test@example.com";

  private final Path home;

  public Gpg(Path home) throws IOException, InterruptedException {
    this.home = Files.createDirectory(home, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    run("--passphrase", "", "--quick-generate-key", "Test <" + ADDRESS + ">", "rsa2048", "sign", "1d");
  }

  /** The secret key, as a keyring to sign with. */
  public Path secretKeys(Path file) throws IOException, InterruptedException {
    run("--output", file.toString(), "--export-secret-keys");
    return file;
  }

  /** The public key, as a keyring to verify with. */
  public Path publicKeys(Path file) throws IOException, InterruptedException {
    run("--output", file.toString(), "--export");
    return file;
  }

  /** What gpg prints, whether it succeeds or not. */
  public String run(String... args) throws IOException, InterruptedException {
    var command = new ArrayList<>(List.of("gpg", "--homedir", home.toString(), "--batch", "--pinentry-mode", "loopback"));
    command.addAll(List.of(args));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    process.waitFor(60, TimeUnit.SECONDS);
    return output;
  }

  /** Ends the agent that gpg started. */
  @Override
  public void close() throws IOException, InterruptedException {
    new ProcessBuilder("gpgconf", "--homedir", home.toString(), "--kill", "all").start().waitFor(10, TimeUnit.SECONDS);
  }
}
