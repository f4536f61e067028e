package io.github.wordpressha.cli;

import io.github.wordpressha.check.Cluster;
import picocli.CommandLine.Option;

/** The cluster that the release is meant for. */
final class ClusterOptions {

  @Option(names = "--nodes", paramLabel = "N", defaultValue = "3", description = "Worker nodes of the cluster. Default: ${DEFAULT-VALUE}.")
  int nodes;

  @Option(names = "--zones", paramLabel = "N", defaultValue = "1", description = "Zones that the nodes are spread over. Default: ${DEFAULT-VALUE}.")
  int zones;

  Cluster cluster(Input input) {
    return new Cluster(nodes, zones, input.release().kubeMinor());
  }
}
