package io.github.wordpressha.network;

import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorRequirement;
import io.fabric8.kubernetes.api.model.networking.v1.IPBlock;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPeer;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPort;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;

/**
 * What NetworkPolicies allow, by the rules of the Kubernetes API: a pod that some policy selects for a direction takes part
 * only in connections that some policy allows, and a connection needs both ends.
 *
 * @param namespace of the policies
 */
record Policies(String namespace, List<NetworkPolicy> policies) {

  /**
   * An end of a connection.
   *
   * @param namespace of a pod; empty: an address outside of the cluster
   */
  record End(String name, String namespace, Map<String, String> labels, String address) {
    static End outside(String name, String address) {
      return new End(name, "", Map.of(), address);
    }
  }

  boolean allow(End from, End to, int port, String protocol) {
    return egress(from, to, port, protocol) && ingress(from, to, port, protocol);
  }

  private boolean egress(End from, End to, int port, String protocol) {
    List<NetworkPolicy> selecting = selecting(from, "Egress");
    return selecting.isEmpty() || selecting.stream().flatMap(p -> p.getSpec().getEgress().stream())
        .anyMatch(r -> ports(r.getPorts(), port, protocol) && peers(r.getTo(), to));
  }

  private boolean ingress(End from, End to, int port, String protocol) {
    List<NetworkPolicy> selecting = selecting(to, "Ingress");
    return selecting.isEmpty() || selecting.stream().flatMap(p -> p.getSpec().getIngress().stream())
        .anyMatch(r -> ports(r.getPorts(), port, protocol) && peers(r.getFrom(), from));
  }

  private List<NetworkPolicy> selecting(End end, String direction) {
    return policies.stream()
        .filter(p -> end.namespace().equals(namespace))
        .filter(p -> p.getSpec().getPolicyTypes().contains(direction))
        .filter(p -> matches(p.getSpec().getPodSelector(), end.labels()))
        .toList();
  }

  /** No ports are all ports. */
  private static boolean ports(List<NetworkPolicyPort> ports, int port, String protocol) {
    return ports.isEmpty() || ports.stream().anyMatch(p -> p.getProtocol().equals(protocol) && p.getPort().getIntVal() == port);
  }

  /** No peers are all peers. */
  private boolean peers(List<NetworkPolicyPeer> peers, End end) {
    return peers.isEmpty() || peers.stream().anyMatch(p -> peer(p, end));
  }

  private boolean peer(NetworkPolicyPeer peer, End end) {
    if (peer.getIpBlock() != null) {
      IPBlock block = peer.getIpBlock();
      return within(end.address(), block.getCidr()) && block.getExcept().stream().noneMatch(e -> within(end.address(), e));
    }
    boolean sameNamespace = peer.getNamespaceSelector() == null
        ? end.namespace().equals(namespace)
        : !end.namespace().isEmpty() && matches(peer.getNamespaceSelector(), Map.of("kubernetes.io/metadata.name", end.namespace()));
    return sameNamespace && (peer.getPodSelector() == null || matches(peer.getPodSelector(), end.labels()));
  }

  private static boolean matches(LabelSelector selector, Map<String, String> labels) {
    return (selector.getMatchLabels() == null || labels.entrySet().containsAll(selector.getMatchLabels().entrySet()))
        && selector.getMatchExpressions().stream().allMatch(e -> matches(e, labels));
  }

  private static boolean matches(LabelSelectorRequirement requirement, Map<String, String> labels) {
    if (!requirement.getOperator().equals("In")) {
      throw new IllegalArgumentException("not known here: " + requirement.getOperator());
    }
    return requirement.getValues().contains(labels.get(requirement.getKey()));
  }

  private static boolean within(String address, String cidr) {
    try {
      byte[] one = InetAddress.getByName(address).getAddress();
      byte[] other = InetAddress.getByName(cidr.substring(0, cidr.indexOf('/'))).getAddress();
      int shift = one.length * 8 - Integer.parseInt(cidr.substring(cidr.indexOf('/') + 1));
      return one.length == other.length && new BigInteger(1, one).shiftRight(shift).equals(new BigInteger(1, other).shiftRight(shift));
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(e);
    }
  }
}
