package io.github.wordpressha.check;

import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.github.wordpressha.manifest.Problem;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Requests and limits: missing, contradictory, or obviously mistyped. */
public final class ResourceCheck implements Check {

  /** A container with less cannot start a shell; somebody forgot the unit. */
  private static final BigDecimal LEAST_MEMORY = BigDecimal.valueOf(4L << 20);
  private static final BigDecimal MOST_CPU = BigDecimal.valueOf(256);

  @Override
  public String rule() {
    return "resources";
  }

  @Override
  public String description() {
    return "Containers request CPU and memory, limit memory, and no request is above its limit.";
  }

  @Override
  public List<Problem> run(Objects objects, Cluster cluster) {
    var problems = new ArrayList<Problem>();
    for (Workload workload : objects.workloads()) {
      for (Workload.Placed placed : workload.containers()) {
        container(workload, placed, problems);
      }
      workload.claims().forEach(claim -> storage(workload, claim.getMetadata().getName(),
          claim.getSpec().getResources() == null ? null : claim.getSpec().getResources().getRequests(), problems));
    }
    return problems;
  }

  private void container(Workload workload, Workload.Placed placed, List<Problem> problems) {
    ResourceRequirements resources = placed.container().getResources();
    Map<String, Quantity> requests = resources == null || resources.getRequests() == null ? Map.of() : resources.getRequests();
    Map<String, Quantity> limits = resources == null || resources.getLimits() == null ? Map.of() : resources.getLimits();
    String path = placed.path() + ".resources";
    String name = "container \"" + placed.container().getName() + "\"";
    for (String resource : List.of("cpu", "memory")) {
      if (!requests.containsKey(resource) && !limits.containsKey(resource)) {
        problems.add(Problem.warning(rule(), workload.manifest(), path + ".requests",
            name + " requests no " + resource + ": it is the first to be starved or evicted.", "Set resources.requests." + resource + "."));
      }
    }
    if (!limits.containsKey("memory")) {
      problems.add(Problem.warning(rule(), workload.manifest(), path + ".limits",
          name + " has no memory limit: a leak takes its neighbours down, too.", "Set resources.limits.memory."));
    }
    requests.forEach((resource, request) -> {
      Optional<BigDecimal> wanted = amount(request);
      Optional<BigDecimal> limit = Optional.ofNullable(limits.get(resource)).flatMap(ResourceCheck::amount);
      if (wanted.isPresent() && limit.isPresent() && wanted.get().compareTo(limit.get()) > 0) {
        problems.add(Problem.error(rule(), workload.manifest(), path + ".requests." + resource,
            name + " requests " + request + " and is limited to " + limits.get(resource) + ".", "Raise the limit or lower the request."));
      }
      plausible(workload, path + ".requests." + resource, resource, request, wanted, problems);
    });
    limits.forEach((resource, limit) -> plausible(workload, path + ".limits." + resource, resource, limit, amount(limit), problems));
  }

  private void plausible(
      Workload workload, String path, String resource, Quantity text, Optional<BigDecimal> amount, List<Problem> problems) {
    amount.ifPresent(value -> {
      if (resource.equals("memory") && value.compareTo(LEAST_MEMORY) < 0) {
        problems.add(Problem.error(rule(), workload.manifest(), path, text + " is " + value.toPlainString() + " bytes.", "Did you mean " + text.getAmount() + "Mi?"));
      }
      if (resource.equals("cpu") && value.compareTo(MOST_CPU) > 0) {
        problems.add(Problem.error(rule(), workload.manifest(), path, text + " is " + value.toPlainString() + " cores.", "Did you mean " + text.getAmount() + "m?"));
      }
    });
  }

  private void storage(Workload workload, String name, Map<String, Quantity> requests, List<Problem> problems) {
    Quantity size = requests == null ? null : requests.get("storage");
    if (size == null) {
      problems.add(Problem.error(rule(), workload.manifest(), "spec.volumeClaimTemplates", "claim \"" + name + "\" has no size.", "Set resources.requests.storage."));
    } else {
      amount(size).filter(a -> a.compareTo(LEAST_MEMORY) < 0).ifPresent(a -> problems.add(Problem.error(rule(), workload.manifest(),
          "spec.volumeClaimTemplates", "claim \"" + name + "\" asks for " + a.toPlainString() + " bytes.", "Did you mean " + size.getAmount() + "Gi?")));
    }
  }

  private static Optional<BigDecimal> amount(Quantity quantity) {
    try {
      return Optional.of(quantity.getNumericalAmount());
    } catch (RuntimeException e) {
      // The schema says what is wrong with it.
      return Optional.empty();
    }
  }
}
