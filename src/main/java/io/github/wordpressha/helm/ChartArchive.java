package io.github.wordpressha.helm;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.Deflater;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorOutputStream;
import org.apache.commons.compress.compressors.gzip.GzipParameters;

/**
 * Packaged charts ({@code .tgz}). Helm stamps the time of packing into every entry; we want the same bytes from the
 * same files. So whatever Helm has packed (it knows {@code .helmignore} and the rest of the rules) is packed again
 * with sorted names, one fixed time and no owner.
 */
public final class ChartArchive {

  /** 1980-01-01T00:00:00Z: any fixed time does; archive tools dislike zero. */
  private static final long TIME_MILLIS = 315_532_800_000L;

  /** A chart is text. Anything larger is an accident or an attack. */
  private static final long MAX_BYTES = 64L << 20;

  private ChartArchive() {}

  /**
   * Unpacks a chart.
   *
   * @return the chart's directory, inside {@code target}
   */
  public static Path unpack(Path archive, Path target) {
    try {
      Path chart = null;
      for (var file : read(archive).entrySet()) {
        Path path = target.resolve(file.getKey()).normalize();
        if (!path.startsWith(target)) {
          throw new IllegalArgumentException(archive + ": entry " + file.getKey() + " leaves the archive");
        }
        chart = chart == null ? target.resolve(Path.of(file.getKey()).getName(0)) : chart;
        Files.createDirectories(path.getParent());
        Files.write(path, file.getValue());
      }
      if (chart == null || !Files.exists(chart.resolve("Chart.yaml"))) {
        throw new IllegalArgumentException(archive + ": not a packaged chart (no Chart.yaml)");
      }
      return chart;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Packs an archive again, in place, so that equal content means equal bytes.
   *
   * @param source the chart's directory: Helm rewrites Chart.yaml as it packs, each version in its own way, so the
   *     bytes of the files come from here
   */
  public static void normalize(Path archive, Path source) {
    try {
      Map<String, byte[]> files = read(archive);
      for (var file : files.entrySet()) {
        Path name = Path.of(file.getKey());
        Path original = source.resolve(name.subpath(1, name.getNameCount()).toString());
        if (Files.isRegularFile(original)) {
          file.setValue(Files.readAllBytes(original));
        }
      }
      var bytes = new ByteArrayOutputStream();
      write(files, bytes);
      Files.write(archive, bytes.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The files of an archive by name. */
  public static Map<String, byte[]> read(Path archive) throws IOException {
    var files = new TreeMap<String, byte[]>();
    long total = 0;
    try (InputStream file = new BufferedInputStream(Files.newInputStream(archive));
        // Helm's gzip header has an extra field that commons-compress takes for broken; the JDK skips it.
        var tar = new TarArchiveInputStream(new GZIPInputStream(file))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        if (entry.isFile()) {
          total += entry.getSize();
          if (total > MAX_BYTES) {
            throw new IOException(archive + ": more than " + (MAX_BYTES >> 20) + " MiB unpacked");
          }
          files.put(entry.getName(), tar.readAllBytes());
        }
      }
    }
    return files;
  }

  private static void write(Map<String, byte[]> files, OutputStream target) throws IOException {
    var gzip = new GzipParameters();
    gzip.setCompressionLevel(Deflater.BEST_COMPRESSION);
    gzip.setOperatingSystem(255);
    try (var tar = new TarArchiveOutputStream(new GzipCompressorOutputStream(target, gzip))) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      // Helm wants Chart.yaml first in line when it streams; it reads the rest by name.
      for (var file : chartFirst(files).entrySet()) {
        var entry = new TarArchiveEntry(file.getKey());
        entry.setSize(file.getValue().length);
        entry.setModTime(TIME_MILLIS);
        entry.setMode(0644);
        entry.setIds(0, 0);
        entry.setNames("", "");
        tar.putArchiveEntry(entry);
        tar.write(file.getValue());
        tar.closeArchiveEntry();
      }
    }
  }

  private static Map<String, byte[]> chartFirst(Map<String, byte[]> files) {
    var ordered = new java.util.LinkedHashMap<String, byte[]>();
    files.forEach((name, bytes) -> {
      if (name.matches("[^/]+/Chart\\.yaml")) {
        ordered.put(name, bytes);
      }
    });
    files.forEach(ordered::putIfAbsent);
    return ordered;
  }
}
