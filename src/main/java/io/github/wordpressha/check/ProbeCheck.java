package io.github.wordpressha.check;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Probe;
import io.github.wordpressha.manifest.Problem;
import java.util.ArrayList;
import java.util.List;

/** Probes: there at all, consistent in themselves and with one another. */
public final class ProbeCheck implements Check {

  @Override
  public String rule() {
    return "probe";
  }

  @Override
  public String description() {
    return "Pods behind a Service say when they are ready, a timeout is not above its period, and a slow start is not a death.";
  }

  @Override
  public List<Problem> run(Objects objects, Cluster cluster) {
    var problems = new ArrayList<Problem>();
    for (Workload workload : objects.workloads()) {
      if (workload.isService()) {
        if (workload.running().noneMatch(p -> p.container().getReadinessProbe() != null)) {
          problems.add(Problem.warning(rule(), workload.manifest(), workload.podPath(),
              "no container has a readinessProbe: the pod gets traffic before it can answer.", "Add a readinessProbe."));
        }
        workload.running().forEach(p -> container(workload, p, problems));
      }
      grace(workload, problems);
    }
    return problems;
  }

  private void container(Workload workload, Workload.Placed placed, List<Problem> problems) {
    Container container = placed.container();
    consistent(workload, placed, "livenessProbe", container.getLivenessProbe(), problems);
    consistent(workload, placed, "readinessProbe", container.getReadinessProbe(), problems);
    consistent(workload, placed, "startupProbe", container.getStartupProbe(), problems);
    Probe liveness = container.getLivenessProbe();
    if (liveness == null) {
      return;
    }
    int patience = orElse(liveness.getInitialDelaySeconds(), 0) + orElse(liveness.getPeriodSeconds(), 10) * orElse(liveness.getFailureThreshold(), 3);
    // A script may know better than to call a slow start a death; a connection cannot.
    if (container.getStartupProbe() == null && liveness.getExec() == null && patience < 30) {
      problems.add(Problem.warning(rule(), workload.manifest(), placed.path() + ".livenessProbe",
          "container \"" + container.getName() + "\" is killed " + patience + " s after its start if it is not up by then.",
          "Add a startupProbe that gives it the time it needs."));
    }
    Probe readiness = container.getReadinessProbe();
    if (readiness != null && liveness.getExec() != null && readiness.getExec() != null
        && liveness.getExec().getCommand().equals(readiness.getExec().getCommand())
        && workload.kind().equals("StatefulSet") && workload.replicas() > 1) {
      problems.add(Problem.warning(rule(), workload.manifest(), placed.path() + ".livenessProbe",
          "it asks the same as the readinessProbe: a member that is busy (a state transfer) is killed for it.",
          "Let liveness ask only whether the process lives."));
    }
  }

  private void consistent(Workload workload, Workload.Placed placed, String name, Probe probe, List<Problem> problems) {
    if (probe == null) {
      return;
    }
    String path = placed.path() + "." + name;
    int handlers = count(probe.getExec()) + count(probe.getHttpGet()) + count(probe.getTcpSocket()) + count(probe.getGrpc());
    if (handlers != 1) {
      problems.add(Problem.error(rule(), workload.manifest(), path, "a probe has exactly one of exec, httpGet, tcpSocket and grpc; this one has " + handlers + ".", ""));
    }
    int timeout = orElse(probe.getTimeoutSeconds(), 1);
    int period = orElse(probe.getPeriodSeconds(), 10);
    if (timeout > period) {
      problems.add(Problem.note(rule(), workload.manifest(), path,
          "timeoutSeconds " + timeout + " is above periodSeconds " + period + ": it decides later than it seems to.", "Raise the period."));
    }
    if (!name.equals("readinessProbe") && orElse(probe.getSuccessThreshold(), 1) != 1) {
      problems.add(Problem.error(rule(), workload.manifest(), path + ".successThreshold", "must be 1 for a " + name + ".", ""));
    }
    for (int value : new int[] {timeout, period, orElse(probe.getFailureThreshold(), 3)}) {
      if (value < 1) {
        problems.add(Problem.error(rule(), workload.manifest(), path, "timeout, period and threshold are at least 1, not " + value + ".", ""));
      }
    }
    if (probe.getHttpGet() != null && probe.getHttpGet().getPath() != null && !probe.getHttpGet().getPath().startsWith("/")) {
      problems.add(Problem.error(rule(), workload.manifest(), path + ".httpGet.path",
          "\"" + probe.getHttpGet().getPath() + "\" is no absolute path.", ""));
    }
  }

  /** A preStop hook that sleeps longer than the grace period is cut off, and so is the program behind it. */
  private void grace(Workload workload, List<Problem> problems) {
    long grace = workload.pod().getTerminationGracePeriodSeconds() == null ? 30 : workload.pod().getTerminationGracePeriodSeconds();
    if (grace < 1 && workload.isService()) {
      problems.add(Problem.error(rule(), workload.manifest(), workload.podPath() + ".terminationGracePeriodSeconds",
          "the pod is killed without a chance to stop.", "Give it the time that a clean stop takes."));
    }
    workload.running().forEach(placed -> {
      var lifecycle = placed.container().getLifecycle();
      if (lifecycle == null || lifecycle.getPreStop() == null) {
        return;
      }
      var sleep = lifecycle.getPreStop().getSleep();
      if (sleep != null && sleep.getSeconds() >= grace) {
        problems.add(Problem.error(rule(), workload.manifest(), placed.path() + ".lifecycle.preStop",
            "it sleeps for " + sleep.getSeconds() + " s, and the pod is killed after " + grace + " s.", "Raise terminationGracePeriodSeconds."));
      }
    });
  }

  private static int count(Object handler) {
    return handler == null ? 0 : 1;
  }

  private static int orElse(Integer value, int other) {
    return value == null ? other : value;
  }
}
