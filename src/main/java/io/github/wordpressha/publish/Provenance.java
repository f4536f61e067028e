package io.github.wordpressha.publish;

import io.github.wordpressha.helm.ChartArchive;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import org.bouncycastle.bcpg.ArmoredOutputStream;
import org.bouncycastle.bcpg.HashAlgorithmTags;
import org.bouncycastle.openpgp.PGPException;
import org.bouncycastle.openpgp.PGPPrivateKey;
import org.bouncycastle.openpgp.PGPSecretKey;
import org.bouncycastle.openpgp.PGPSecretKeyRing;
import org.bouncycastle.openpgp.PGPSecretKeyRingCollection;
import org.bouncycastle.openpgp.PGPSignature;
import org.bouncycastle.openpgp.PGPSignatureGenerator;
import org.bouncycastle.openpgp.PGPUtil;
import org.bouncycastle.openpgp.operator.bc.BcKeyFingerprintCalculator;
import org.bouncycastle.openpgp.operator.bc.BcPBESecretKeyDecryptorBuilder;
import org.bouncycastle.openpgp.operator.bc.BcPGPContentSignerBuilder;
import org.bouncycastle.openpgp.operator.bc.BcPGPDigestCalculatorProvider;

/**
 * Helm's provenance file: Chart.yaml and the archive's SHA-256, clear-signed with OpenPGP. {@code helm verify} and {@code gpg --verify}
 * read it. Written here because Helm signs only what it has packed itself, and we pack again for reproducible bytes.
 */
public final class Provenance {

  private Provenance() {}

  /**
   * Writes {@code <archive>.prov}.
   *
   * @param keyring secret keys, as {@code gpg --export-secret-keys} gives them
   * @param keyName part of the name or address of the key
   * @param passphrase empty for an unprotected key; never logged
   * @return the file
   */
  public static Path sign(Path archive, Path keyring, String keyName, char[] passphrase) throws IOException {
    try {
      PGPSecretKey key = find(keyring, keyName);
      PGPPrivateKey privateKey = key.extractPrivateKey(new BcPBESecretKeyDecryptorBuilder(new BcPGPDigestCalculatorProvider()).build(passphrase));
      Path provenance = archive.resolveSibling(archive.getFileName() + ".prov");
      Files.write(provenance, clearSign(message(archive), key, privateKey));
      return provenance;
    } catch (PGPException e) {
      throw new IllegalStateException("cannot sign with key \"" + keyName + "\": " + e.getMessage(), e);
    }
  }

  private static String message(Path archive) throws IOException {
    String chart = ChartArchive.read(archive).entrySet().stream()
        .filter(f -> f.getKey().matches("[^/]+/Chart\\.yaml"))
        .map(f -> new String(f.getValue(), StandardCharsets.UTF_8).strip())
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(archive + ": not a packaged chart (no Chart.yaml)"));
    return chart + "\n\n...\nfiles:\n  " + archive.getFileName() + ": sha256:" + StaticRepository.sha256(archive) + "\n";
  }

  private static PGPSecretKey find(Path keyring, String name) throws IOException, PGPException {
    try (InputStream in = PGPUtil.getDecoderStream(Files.newInputStream(keyring))) {
      var rings = new PGPSecretKeyRingCollection(in, new BcKeyFingerprintCalculator());
      for (PGPSecretKeyRing ring : rings) {
        for (Iterator<String> ids = ring.getSecretKey().getUserIDs(); ids.hasNext(); ) {
          if (ids.next().contains(name)) {
            return ring.getSecretKey();
          }
        }
      }
    }
    throw new IllegalArgumentException(keyring + " has no key of \"" + name + "\"");
  }

  /** Line ends are not part of what is signed until the next line begins (RFC 9580, 7.2). */
  private static byte[] clearSign(String message, PGPSecretKey key, PGPPrivateKey privateKey) throws IOException, PGPException {
    var generator = new PGPSignatureGenerator(
        new BcPGPContentSignerBuilder(key.getPublicKey().getAlgorithm(), HashAlgorithmTags.SHA512), key.getPublicKey());
    generator.init(PGPSignature.CANONICAL_TEXT_DOCUMENT, privateKey);
    var bytes = new ByteArrayOutputStream();
    try (var armor = ArmoredOutputStream.builder().clearHeaders().build(bytes)) {
      armor.beginClearText(HashAlgorithmTags.SHA512);
      String[] lines = message.split("\n", -1);
      int last = lines.length - 1; // After the final line end there is an empty rest, which is no line.
      for (int i = 0; i < last; i++) {
        String line = lines[i].stripTrailing();
        if (i > 0) {
          generator.update("\r\n".getBytes(StandardCharsets.US_ASCII));
        }
        generator.update(line.getBytes(StandardCharsets.UTF_8));
        armor.write((line + "\n").getBytes(StandardCharsets.UTF_8));
      }
      armor.endClearText();
      generator.generate().encode(armor);
    }
    return bytes.toByteArray();
  }
}
