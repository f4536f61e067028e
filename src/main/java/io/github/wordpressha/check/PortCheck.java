package io.github.wordpressha.check;

import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPort;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.manifest.Problem;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/** Ports that nobody listens on: of Services, probes, Ingresses and network policies. */
public final class PortCheck implements Check {

  @Override
  public String rule() {
    return "port";
  }

  @Override
  public String description() {
    return "Every port that a Service, probe, Ingress or network policy names is declared by the container behind it.";
  }

  @Override
  public List<Problem> run(Objects objects, Cluster cluster) {
    var problems = new ArrayList<Problem>();
    objects.workloads().forEach(w -> {
      probes(w, problems);
      twice(w, problems);
    });
    objects.all(Service.class).forEach(e -> service(objects, e.getKey(), e.getValue(), problems));
    objects.all(Ingress.class).forEach(e -> ingress(objects, e.getKey(), e.getValue(), problems));
    objects.all(NetworkPolicy.class).forEach(e -> policy(objects, e.getKey(), e.getValue(), problems));
    return problems;
  }

  private void service(Objects objects, Manifest manifest, Service service, List<Problem> problems) {
    Map<String, String> labels = service.getSpec().getSelector();
    if (labels == null || labels.isEmpty()) {
      return;
    }
    List<Workload> pods = objects.selected(new LabelSelectorBuilder().withMatchLabels(labels).build())
        .stream().filter(Workload::isService).toList();
    List<ServicePort> ports = service.getSpec().getPorts();
    for (int i = 0; i < ports.size(); i++) {
      ServicePort port = ports.get(i);
      IntOrString target = port.getTargetPort() == null ? new IntOrString(port.getPort()) : port.getTargetPort();
      String protocol = port.getProtocol() == null ? "TCP" : port.getProtocol();
      for (Workload workload : pods) {
        declared(workload, target, protocol, manifest, "spec.ports[" + i + "].targetPort", problems);
      }
      range(manifest, "spec.ports[" + i + "].nodePort", port.getNodePort(), 30000, 32767, problems);
      range(manifest, "spec.ports[" + i + "].port", port.getPort(), 1, 65535, problems);
    }
  }

  private void probes(Workload workload, List<Problem> problems) {
    for (Workload.Placed placed : workload.containers()) {
      var container = placed.container();
      probe(workload, placed, "livenessProbe", container.getLivenessProbe(), problems);
      probe(workload, placed, "readinessProbe", container.getReadinessProbe(), problems);
      probe(workload, placed, "startupProbe", container.getStartupProbe(), problems);
    }
  }

  private void probe(Workload workload, Workload.Placed placed, String name, Probe probe, List<Problem> problems) {
    if (probe == null) {
      return;
    }
    String path = placed.path() + "." + name;
    IntOrString port = probe.getHttpGet() != null ? probe.getHttpGet().getPort()
        : probe.getTcpSocket() != null ? probe.getTcpSocket().getPort()
        : probe.getGrpc() != null ? new IntOrString(probe.getGrpc().getPort())
        : null;
    // A name is looked up in the probed container alone; a number is asked of the pod, which its containers share.
    List<ContainerPort> ports = port == null || port.getStrVal() != null
        ? placed.container().getPorts()
        : workload.running().flatMap(c -> c.container().getPorts().stream()).toList();
    if (port != null && find(ports, port, "TCP").isEmpty()) {
      problems.add(Problem.error(rule(), workload.manifest(), path,
          "container \"" + placed.container().getName() + "\" declares no port " + shown(port) + ".", known(ports)));
    }
  }

  /** Two containers of a pod share one network: two of them cannot listen on one port. */
  private void twice(Workload workload, List<Problem> problems) {
    var numbers = new HashMap<String, String>();
    var names = new HashMap<String, String>();
    workload.running().forEach(placed -> {
      for (ContainerPort port : placed.container().getPorts()) {
        range(workload.manifest(), placed.path() + ".ports", port.getContainerPort(), 1, 65535, problems);
        String number = port.getContainerPort() + "/" + (port.getProtocol() == null ? "TCP" : port.getProtocol());
        clash(workload, placed, numbers.put(number, placed.container().getName()), number, problems);
        if (port.getName() != null) {
          clash(workload, placed, names.put(port.getName(), placed.container().getName()), "\"" + port.getName() + "\"", problems);
        }
      }
    });
  }

  private void clash(Workload workload, Workload.Placed placed, String other, String port, List<Problem> problems) {
    if (other != null) {
      problems.add(Problem.error(rule(), workload.manifest(), placed.path() + ".ports",
          "port " + port + " is declared by \"" + other + "\" already, in the same pod.", "Give each its own."));
    }
  }

  private void ingress(Objects objects, Manifest manifest, Ingress ingress, List<Problem> problems) {
    for (var rule : ingress.getSpec().getRules()) {
      if (rule.getHttp() == null) {
        continue;
      }
      for (var path : rule.getHttp().getPaths()) {
        var backend = path.getBackend().getService();
        if (backend == null || backend.getPort() == null) {
          continue;
        }
        objects.find(Service.class, backend.getName()).ifPresent(service -> {
          var wanted = backend.getPort();
          Predicate<ServicePort> same = p -> wanted.getName() != null
              ? wanted.getName().equals(p.getName())
              : p.getPort().equals(wanted.getNumber());
          if (service.getSpec().getPorts().stream().noneMatch(same)) {
            problems.add(Problem.error(rule(), manifest, "spec.rules.http.paths.backend.service.port",
                "Service \"" + backend.getName() + "\" has no port "
                    + (wanted.getName() != null ? "\"" + wanted.getName() + "\"" : wanted.getNumber()) + ".", ""));
          }
        });
      }
    }
  }

  private void policy(Objects objects, Manifest manifest, NetworkPolicy policy, List<Problem> problems) {
    List<Workload> targets = objects.selected(policy.getSpec().getPodSelector());
    var ingress = policy.getSpec().getIngress();
    for (int i = 0; i < ingress.size(); i++) {
      ports(targets, manifest, "spec.ingress[" + i + "].ports", ingress.get(i).getPorts(), problems);
    }
    var egress = policy.getSpec().getEgress();
    for (int i = 0; i < egress.size(); i++) {
      List<Workload> to = egress.get(i).getTo().stream()
          .filter(p -> p.getPodSelector() != null && p.getNamespaceSelector() == null)
          .flatMap(p -> objects.selected(p.getPodSelector()).stream())
          .toList();
      ports(to, manifest, "spec.egress[" + i + "].ports", egress.get(i).getPorts(), problems);
    }
  }

  /** A policy may cover pods of which only some have the port; it is wrong only if none has. */
  private void ports(List<Workload> pods, Manifest manifest, String path, List<NetworkPolicyPort> ports, List<Problem> problems) {
    if (pods.isEmpty()) {
      return;
    }
    for (int i = 0; i < ports.size(); i++) {
      NetworkPolicyPort port = ports.get(i);
      if (port.getPort() == null || port.getEndPort() != null) {
        continue;
      }
      String protocol = port.getProtocol() == null ? "TCP" : port.getProtocol();
      boolean found = pods.stream().anyMatch(w -> w.running().anyMatch(c -> !find(c.container().getPorts(), port.getPort(), protocol).isEmpty()));
      if (!found) {
        problems.add(Problem.error(rule(), manifest, path + "[" + i + "].port",
            "no selected pod declares port " + shown(port.getPort()) + "/" + protocol + ".", ""));
      }
    }
  }

  private void declared(
      Workload workload, IntOrString port, String protocol, Manifest manifest, String path, List<Problem> problems) {
    List<ContainerPort> ports = workload.running().flatMap(c -> c.container().getPorts().stream()).toList();
    if (find(ports, port, protocol).isEmpty()) {
      problems.add(Problem.error(rule(), manifest, path,
          "no container of " + workload.manifest().id() + " declares port " + shown(port) + "/" + protocol + ".", known(ports)));
    }
  }

  private void range(Manifest manifest, String path, Integer port, int low, int high, List<Problem> problems) {
    if (port != null && (port < low || port > high)) {
      problems.add(Problem.error(rule(), manifest, path, port + " is out of range.", "Use " + low + " to " + high + "."));
    }
  }

  private static List<ContainerPort> find(List<ContainerPort> ports, IntOrString wanted, String protocol) {
    return ports.stream()
        .filter(p -> wanted.getStrVal() != null
            ? wanted.getStrVal().equals(p.getName())
            : wanted.getIntVal().equals(p.getContainerPort()))
        .filter(p -> protocol.equals(p.getProtocol() == null ? "TCP" : p.getProtocol()))
        .toList();
  }

  private static String shown(IntOrString port) {
    return port.getStrVal() != null ? "\"" + port.getStrVal() + "\"" : String.valueOf(port.getIntVal());
  }

  private static String known(List<ContainerPort> ports) {
    Set<String> names = new TreeSet<>();
    ports.forEach(p -> names.add(p.getName() == null ? String.valueOf(p.getContainerPort()) : p.getName() + " (" + p.getContainerPort() + ")"));
    return names.isEmpty() ? "" : "Declared: " + String.join(", ", names) + ".";
  }
}
