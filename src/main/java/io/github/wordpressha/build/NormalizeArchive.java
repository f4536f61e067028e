package io.github.wordpressha.build;

import io.github.wordpressha.helm.ChartArchive;
import java.nio.file.Path;

/** Build step: packs the chart's archive again, so that each build of the same files gives the same bytes. */
public final class NormalizeArchive {

  private NormalizeArchive() {}

  /** Arguments: the archive, and the chart's directory that it was made of. */
  public static void main(String[] args) {
    ChartArchive.normalize(Path.of(args[0]), Path.of(args[1]));
  }
}
