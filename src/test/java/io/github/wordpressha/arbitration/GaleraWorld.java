package io.github.wordpressha.arbitration;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * Galera members, their volumes and etcd, of which one knows everything: which writes were acknowledged, and which volume has which. Faults are
 * drawn at random; each decision is checked against what is true. A world is told again by its seed.
 */
final class GaleraWorld {

  /** A rule of safety is broken. */
  static final class Violation extends RuntimeException {
    private static final long serialVersionUID = 1;

    Violation(String message) {
      super(message);
    }
  }

  /** JOINING: in the Primary component, while a copy of the data comes onto the volume. */
  enum Phase { DOWN, WAITING, CLAIMED, JOINING, PRIMARY, APART }

  private record Entry(String value, int revision, Integer owner) { }

  /** What a member decided from, and has not carried out yet. */
  private record Pending(int member, Map<String, Entry> facts, Decider.Answer answer) { }

  private static final class Node {
    Phase phase = Phase.DOWN;
    String state = "empty";
    String uuid = Bench.ZERO;
    Integer epoch;
    int serverEpoch;
    /** What it had applied when its server started, or when it last said how far it is. */
    int applied;
    boolean confirmed;
    final List<Integer> writes = new ArrayList<>();
  }

  private static final Pattern COMMAND = Pattern.compile("override\\.sh demo-mysql-(\\d+) ");

  private final Random random;
  private final List<Node> nodes = new ArrayList<>();
  private final Set<Integer> acknowledged = new HashSet<>();
  private final StringBuilder story = new StringBuilder();
  private Map<String, Entry> etcd = new TreeMap<>();
  private Map<String, Entry> snapshot = new TreeMap<>();
  private int revision = 1;
  private int write;
  private int conf = 1;
  private int clusters;
  /** The history of the Primary component, in which a member may not have applied the end. */
  private List<Integer> history = new ArrayList<>();
  private Pending pending;
  private int asking;
  private Map<String, Entry> seen;
  private boolean etcdAnswers;
  private boolean restored;
  private String offered = "";

  private boolean calm;

  GaleraWorld(long seed) {
    this(seed, seed % 8 > 0);
  }

  private GaleraWorld(long seed, boolean served) {
    random = new Random(seed);
    int size = random.nextInt(4) == 0 ? 2 + random.nextInt(4) : 3;
    for (int i = 0; i < size; i++) {
      nodes.add(new Node());
    }
    story.append("seed ").append(seed).append(", ").append(size).append(" members\n");
    if (served) {
      serve();
    }
  }

  /** All members run. */
  private void serve() {
    String uuid = uuid();
    put("uuid", uuid, null);
    put("epoch", "1", null);
    put("start/1", "0", null);
    for (Node node : nodes) {
      node.phase = Phase.PRIMARY;
      node.state = "data";
      node.uuid = uuid;
      node.epoch = 1;
      node.serverEpoch = 1;
    }
    record();
    for (int i = random.nextInt(4); i > 0; i--) {
      writeOne();
    }
  }

  private String uuid() {
    return "%08d-0000-0000-0000-000000000000".formatted(++clusters);
  }

  // --- etcd ---------------------------------------------------------------------------------------------------------

  private void put(String key, String value, Integer owner) {
    etcd.put(key, new Entry(value, ++revision, owner));
  }

  private String value(String key) {
    return etcd.containsKey(key) ? etcd.get(key).value : "";
  }

  private JsonNode object(String key) {
    return Bench.json(etcd.containsKey(key) ? etcd.get(key).value : "null");
  }

  private int epoch() {
    return value("epoch").isEmpty() ? 0 : Integer.parseInt(value("epoch"));
  }

  private String report(int i) {
    Node node = nodes.get(i);
    return "{\"by\":\"uid-%d\",\"state\":\"%s\",\"uuid\":\"%s\",\"seqno\":%d,\"epoch\":%s}".formatted(i, node.state, node.uuid, seqno(node), node.epoch);
  }

  private static int seqno(Node node) {
    return node.state.equals("data") ? node.writes.size() : -1;
  }

  // --- what happens -------------------------------------------------------------------------------------------------

  private List<Integer> in(Phase... phases) {
    return IntStream.range(0, nodes.size()).filter(i -> List.of(phases).contains(nodes.get(i).phase)).boxed().toList();
  }

  private Integer any(List<Integer> members) {
    return members.isEmpty() ? null : members.get(random.nextInt(members.size()));
  }

  private void tell(String format, Object... arguments) {
    story.append(format.formatted(arguments)).append('\n');
  }

  private void happen() {
    if (calm) {
      boot(any(in(Phase.DOWN)));
      startServer(any(in(Phase.CLAIMED)));
      copied(any(in(Phase.JOINING)));
      record();
      return;
    }
    int what = random.nextInt(100);
    if (what < 30) {
      boot(any(in(Phase.DOWN)));
    } else if (what < 42) {
      stop(any(component()), random.nextBoolean());
    } else if (what < 46) {
      drop(any(in(Phase.WAITING, Phase.CLAIMED, Phase.APART)));
    } else if (what < 58) {
      writeOne();
    } else if (what < 72) {
      record();
      copied(any(in(Phase.JOINING)));
    } else if (what < 75) {
      loseVolume(any(in(Phase.DOWN)));
    } else if (what < 79) {
      tell("power loss");
      in(Phase.PRIMARY).forEach(this::lag);
      IntStream.range(0, nodes.size()).forEach(this::down);
    } else if (what < 84) {
      startServer(any(in(Phase.CLAIMED)));
    } else if (what < 88) {
      giveReport(any(in(Phase.APART)));
    } else if (what < 92) {
      override();
    } else if (what < 93) {
      etcd.remove("override");
    } else if (what < 97) {
      forget();
    } else {
      snapshot = new TreeMap<>(etcd);
    }
  }

  private void boot(Integer i) {
    if (i == null) {
      return;
    }
    nodes.get(i).phase = Phase.WAITING;
    put("waiting/" + Bench.pod(i), report(i), i);
    tell("%d waits: %s %d epoch %s", i, nodes.get(i).state, seqno(nodes.get(i)), nodes.get(i).epoch);
  }

  /** Its leases end; what it has not applied is gone. */
  private void down(int i) {
    Node node = nodes.get(i);
    node.phase = Phase.DOWN;
    node.confirmed = false;
    if (node.state.equals("found")) {
      node.state = random.nextBoolean() ? "empty" : "initialized";
      node.uuid = node.state.equals("empty") ? Bench.ZERO : "";
    }
    etcd.values().removeIf(entry -> entry.owner != null && entry.owner == i);
  }

  private void lag(int i) {
    Node node = nodes.get(i);
    int end = node.writes.size();
    // What a member has written itself it has applied; of the others' writes, the end may have been received only.
    while (end > node.applied && random.nextInt(3) == 0 && node.writes.get(end - 1) % nodes.size() != i) {
      end--;
    }
    node.writes.subList(end, node.writes.size()).clear();
  }

  private List<Integer> component() {
    return in(Phase.PRIMARY, Phase.JOINING);
  }

  private void stop(Integer i, boolean gracefully) {
    if (i == null) {
      return;
    }
    int size = component().size();
    tell("%d %s", i, gracefully ? "stops in order" : "is lost");
    if (!gracefully) {
      lag(i);
    }
    down(i);
    leave(gracefully ? size - 1 : size);
  }

  /** A component without a majority of what it was is none, and without a member that has the data no copy ends. */
  private void leave(int size) {
    List<Integer> rest = component();
    conf++;
    if (rest.size() * 2 <= size && !(rest.size() == size)) {
      in(Phase.PRIMARY).forEach(i -> {
        nodes.get(i).phase = Phase.APART;
        nodes.get(i).confirmed = false;
      });
      tell("no Primary component is left");
    }
    if (in(Phase.PRIMARY).isEmpty()) {
      in(Phase.JOINING).forEach(this::down);
    }
  }

  /** The copy is whole, and the member is synced. */
  private void copied(Integer i) {
    if (i == null) {
      return;
    }
    Node node = nodes.get(i);
    node.phase = Phase.PRIMARY;
    node.state = "data";
    node.writes.clear();
    node.writes.addAll(history);
    node.applied = history.size();
    tell("%d has a whole copy", i);
  }

  private void drop(Integer i) {
    if (i != null) {
      tell("%d is killed while it waits", i);
      down(i);
    }
  }

  private void writeOne() {
    Integer i = any(in(Phase.PRIMARY).stream().filter(n -> nodes.get(n).confirmed).toList());
    if (i == null) {
      return;
    }
    int id = ++write * nodes.size() + i;
    history.add(id);
    acknowledged.add(id);
    in(Phase.PRIMARY).forEach(n -> {
      nodes.get(n).writes.clear();
      nodes.get(n).writes.addAll(history);
    });
    tell("%d takes write %d", i, history.size());
  }

  /** The recorder of one of the members that run. */
  private void record() {
    Integer i = any(in(Phase.PRIMARY));
    if (i == null) {
      return;
    }
    List<Integer> component = component();
    Node node = nodes.get(i);
    String known = value("uuid");
    if (!known.isEmpty() && !known.equals(node.uuid)) {
      node.confirmed = false;
      return;
    }
    JsonNode view = object("view");
    boolean newer = view.isNull() || view.path("epoch").asInt() < node.serverEpoch || view.path("epoch").asInt() == node.serverEpoch && view.path("conf").asInt() < conf;
    if (newer || known.isEmpty()) {
      if (node.serverEpoch > epoch()) {
        put("epoch", "" + node.serverEpoch, null);
      }
      if (known.isEmpty()) {
        put("uuid", node.uuid, null);
      }
      put("view", view(node.serverEpoch, conf, component), null);
      tell("recorded %s", value("view"));
    }
    view = object("view");
    List<String> members = Etcd.JSON.convertValue(view.path("members"), new com.fasterxml.jackson.core.type.TypeReference<List<String>>() { });
    for (int n : in(Phase.PRIMARY)) {
      if (view.path("conf").asInt() > 0 && view.path("epoch").asInt() >= nodes.get(n).serverEpoch && members.contains(Bench.pod(n))) {
        confirm(n, view.path("epoch").asInt());
      }
    }
  }

  private void confirm(int i, int epoch) {
    Node node = nodes.get(i);
    node.confirmed = true;
    node.serverEpoch = epoch;
    node.epoch = epoch;
    node.state = "data";
    etcd.values().removeIf(entry -> entry.owner != null && entry.owner == i);
  }

  private static String view(int epoch, int conf, List<Integer> members) {
    return "{\"epoch\":%d,\"conf\":%d,\"members\":[%s]}".formatted(epoch, conf, String.join(",", members.stream().map(n -> '"' + Bench.pod(n) + '"').toList()));
  }

  private void loseVolume(Integer i) {
    if (i != null && random.nextInt(2) == 0) {
      tell("%d loses its volume", i);
      Node node = nodes.get(i);
      node.state = "empty";
      node.uuid = Bench.ZERO;
      node.epoch = null;
      node.applied = 0;
      node.writes.clear();
      acknowledged.removeIf(this::isOnNoVolume);
    }
  }

  private boolean isOnNoVolume(int id) {
    return nodes.stream().noneMatch(node -> node.writes.contains(id));
  }

  /** A claim that was won leads to a server, unless its lease has ended. */
  private void startServer(Integer i) {
    if (i == null) {
      return;
    }
    Node node = nodes.get(i);
    if (!object("bootstrap").path("pod").asText().equals(Bench.pod(i))) {
      down(i);
      return;
    }
    if (node.state.equals("found")) {
      node.uuid = uuid();
      node.writes.clear();
      node.state = "initialized";
      if (random.nextInt(4) == 0) {
        tell("%d is killed before the new cluster is registered", i);
        down(i);
        return;
      }
      put("uuid", node.uuid, null);
      if (random.nextInt(4) == 0) {
        tell("%d is killed after the new cluster was registered", i);
        down(i);
        return;
      }
      node.state = "data";
    } else if (node.state.equals("initialized")) {
      node.state = "data";
    }
    node.phase = Phase.PRIMARY;
    node.applied = node.writes.size();
    conf = 1;
    history = new ArrayList<>(node.writes);
    tell("%d serves as the first of epoch %d", i, node.serverEpoch);
  }

  private void giveReport(Integer i) {
    boolean somebodyWaits = etcd.keySet().stream().anyMatch(key -> key.startsWith("waiting/"));
    if (i != null && somebodyWaits) {
      tell("%d restarts to report", i);
      down(i);
      boot(i);
    }
  }

  /** What a person does with override.sh: never while a Primary component runs, and for a member that waits. */
  private void override() {
    if (!in(Phase.PRIMARY).isEmpty()) {
      return;
    }
    Matcher command = COMMAND.matcher(offered);
    if (command.find() && etcd.containsKey("waiting/" + Bench.pod(Integer.parseInt(command.group(1))))) {
      put("override", "{\"pod\":\"demo-mysql-%s\",\"by\":\"Ada\",\"basis\":%s}".formatted(command.group(1), basis()), null);
      tell("override for %s", command.group(1));
    }
  }

  private String basis() {
    return "[%s,%s,%s]".formatted(revisionOf("uuid"), revisionOf("view"), revisionOf("epoch"));
  }

  private String revisionOf(String key) {
    return etcd.containsKey(key) ? "" + etcd.get(key).revision : "null";
  }

  private void forget() {
    if (random.nextInt(2) == 0) {
      tell("etcd loses everything");
      etcd = new TreeMap<>();
    } else if (!snapshot.isEmpty() && snapshot.getOrDefault("epoch", new Entry("0", 0, null)).value.compareTo(value("epoch").isEmpty() ? "0" : value("epoch")) < 0) {
      tell("etcd is restored from an older state");
      restored = true;
      etcd = new TreeMap<>(snapshot);
      etcd.values().removeIf(entry -> entry.owner != null);
      etcd.remove("override");
    }
    in(Phase.WAITING).forEach(i -> put("waiting/" + Bench.pod(i), report(i), i));
  }

  // --- decisions ----------------------------------------------------------------------------------------------------

  /** Lets things happen until a member decides. What it decides from may be older than what is true then. */
  String next() {
    Integer i = null;
    if (pending != null && (calm || random.nextInt(3) > 0)) {
      Pending due = pending;
      pending = null;
      carryOut(due);
    }
    for (int n = calm ? 0 : random.nextInt(5); n > 0; n--) {
      happen();
    }
    for (int quiet = 0; i == null; quiet++) {
      if (calm && whole()) {
        return null;
      }
      happen();
      i = quiet > 200 ? null : any(in(Phase.WAITING));
      if (quiet > 200) {
        boot(any(in(Phase.DOWN)));
        quiet = 0;
      }
    }
    asking = i;
    Node node = nodes.get(i);
    if (!etcd.containsKey("waiting/" + Bench.pod(i)) && random.nextInt(3) > 0) {
      put("waiting/" + Bench.pod(i), report(i), i);
    }
    seen = new TreeMap<>(etcd);
    etcdAnswers = calm || random.nextInt(20) > 0;
    var situation = new StringBuilder("{\"etcd\":");
    if (etcdAnswers) {
      boolean revisions = seen.containsKey("override");
      var entries = new ArrayList<String>();
      seen.forEach((key, entry) -> entries.add("\"%s\":{\"value\":\"%s\",\"revision\":%d}"
          .formatted(key, entry.value.replace("\"", "\\\""), revisions ? entry.revision : 1)));
      situation.append('{').append(String.join(",", entries)).append('}');
    } else {
      situation.append("null,\"error\":\"timeout\"");
    }
    situation.append(",\"me\":").append(report(i).replace("{", "{\"pod\":\"" + Bench.pod(i) + "\","));
    Integer runs = any(in(Phase.PRIMARY));
    boolean reached = runs != null && (calm || random.nextInt(8) > 0);
    situation.append(",\"running\":").append(reached ? state(runs, calm || random.nextInt(30) > 0) : "null").append(",\"apart\":[");
    situation.append(String.join(",", in(Phase.APART).stream().map(n -> state(n, true)).toList())).append("],\"members\":[");
    situation.append(String.join(",", IntStream.range(0, nodes.size()).mapToObj(n -> '"' + Bench.pod(n) + '"').toList()));
    return situation.append("],\"namespace\":\"n\",\"here\":\"scripts\",\"complete\":\"complete\"}").toString();
  }

  private String state(int i, boolean whole) {
    if (whole) {
      nodes.get(i).applied = nodes.get(i).writes.size();
    }
    return "{\"pod\":\"%s\",\"uuid\":\"%s\"%s}".formatted(Bench.pod(i), nodes.get(i).uuid, whole ? ",\"committed\":\"" + nodes.get(i).writes.size() + "\"" : "");
  }

  void answer(Decider.Answer answer) {
    tell("%d: %s (%s)", asking, answer.decision(), answer.why());
    if (answer.decision().equals("error")) {
      throw violation("facts that are whole are not understood");
    }
    if (!etcdAnswers && !answer.decision().equals("wait")) {
      throw violation("something is decided without etcd");
    }
    checkCommand(answer);
    switch (answer.decision()) {
      case "wait" -> { }
      case "join" -> join(asking);
      case "discard" -> discard(asking);
      default -> pending = new Pending(asking, seen, answer);
    }
  }

  private void checkCommand(Decider.Answer answer) {
    Matcher command = COMMAND.matcher(answer.why());
    if (!command.find() || answer.why().contains("different clusters")) {
      return;
    }
    offered = answer.why();
    Node named = nodes.get(Integer.parseInt(command.group(1)));
    for (int i = 0; i < nodes.size(); i++) {
      boolean heard = (seen.containsKey("waiting/" + Bench.pod(i)) || nodes.get(i).phase == Phase.APART) && !forked(nodes.get(i));
      for (int id : nodes.get(i).writes) {
        if (heard && nodes.get(i).state.equals("data") && acknowledged.contains(id) && !named.writes.contains(id)) {
          throw violation("the command names a member that lacks what %d, which is known, has".formatted(i));
        }
      }
    }
  }

  /** A later epoch is known to have begun without the end of this volume. */
  private boolean forked(Node node) {
    return node.epoch != null && seen.entrySet().stream().filter(entry -> entry.getKey().startsWith("start/"))
        .anyMatch(entry -> Integer.parseInt(entry.getKey().substring(6)) > node.epoch && Integer.parseInt(entry.getValue().value) < seqno(node));
  }

  private void join(int i) {
    Node node = nodes.get(i);
    if (in(Phase.PRIMARY).isEmpty()) {
      throw violation("a component is joined that no member has seen");
    }
    Node first = nodes.get(in(Phase.PRIMARY).get(0));
    if (node.state.equals("data") && (node.writes.size() > history.size() || !node.writes.equals(history.subList(0, node.writes.size())))) {
      throw violation("a volume is overwritten that is no copy of the cluster's");
    }
    if (!first.uuid.equals(value("uuid"))) {
      throw violation("another cluster than the registered one is joined");
    }
    etcd.remove("waiting/" + Bench.pod(i));
    node.epoch = epoch();
    node.uuid = first.uuid;
    node.serverEpoch = node.epoch;
    conf++;
    if (!node.state.equals("data") || random.nextBoolean()) {
      copy(i);
      return;
    }
    if (random.nextInt(6) == 0) {
      tell("%d is killed before it has what it lacks", i);
      down(i);
      return;
    }
    copied(i);
  }

  /** What was on the volume is swept away. */
  private void copy(int i) {
    Node node = nodes.get(i);
    node.phase = Phase.JOINING;
    node.state = "incomplete";
    node.writes.clear();
    node.applied = 0;
    tell("%d is copied", i);
  }

  private void discard(int i) {
    Node node = nodes.get(i);
    if (!node.state.equals("initialized") || !node.writes.isEmpty() || node.uuid.equals(value("uuid"))) {
      throw violation("a volume is emptied that may have been served");
    }
    node.state = "empty";
    node.uuid = Bench.ZERO;
  }

  /** The transaction of a claim, and what may then be said of it. */
  private void carryOut(Pending due) {
    Node node = nodes.get(due.member);
    if (node.phase != Phase.WAITING || !due.answer.basis().stream().allMatch(key -> revision(due.facts, key) == revision(etcd, key))) {
      return;
    }
    boolean override = due.answer.why().startsWith("OVERRIDE");
    boolean found = due.answer.decision().equals("found");
    int epoch = Integer.parseInt(due.answer.epoch());
    boolean used = nodes.stream().anyMatch(other -> other.epoch != null && other.epoch >= epoch);
    if (used && (restored || due.answer.why().startsWith("OVERRIDE"))) {
      retire();
      return;
    }
    if (used) {
      throw violation("epoch %d begins twice".formatted(epoch));
    }
    checkClaim(due, node, override, found);
    String claim = "{\"pod\":\"%s\",\"by\":\"uid-%d\",\"epoch\":%d}".formatted(Bench.pod(due.member), due.member, epoch);
    etcd.remove("waiting/" + Bench.pod(due.member));
    put("epoch", "" + epoch, null);
    put("start/" + epoch, "" + Math.max(0, seqno(node)), null);
    if (!found) {
      put("view", "{\"epoch\":%d,\"conf\":0,\"members\":%s}".formatted(epoch, due.answer.claimed()), null);
      if (value("uuid").isEmpty()) {
        put("uuid", node.uuid, null);
      }
    }
    if (etcd.remove("override") != null && found) {
      etcd.remove("uuid");
      etcd.remove("view");
    }
    put("bootstrap", claim, due.member);
    acknowledged.removeIf(id -> !node.writes.contains(id)); // whatever is missing now is given up
    node.phase = Phase.CLAIMED;
    node.serverEpoch = epoch;
    node.epoch = epoch;
    if (found) {
      node.state = "found";
    }
    tell("%d has claimed epoch %d", due.member, epoch);
  }

  /** No member that knows of the latest epoch has reported to an etcd that lost it, and it begins once more: no rule can tell. */
  private void retire() {
    tell("this world has ended");
    nodes.replaceAll(node -> new Node());
    acknowledged.clear();
    history = new ArrayList<>();
    etcd = new TreeMap<>();
    snapshot = new TreeMap<>();
    restored = false;
    pending = null;
  }

  private static int revision(Map<String, Entry> facts, String key) {
    return facts.containsKey(key) ? facts.get(key).revision : 0;
  }

  private void checkClaim(Pending due, Node node, boolean override, boolean found) {
    if (!in(Phase.PRIMARY).isEmpty() && nodes.get(in(Phase.PRIMARY).get(0)).confirmed) {
      throw violation("%d starts a second cluster".formatted(due.member));
    }
    if (etcd.containsKey("bootstrap") && !object("bootstrap").path("pod").asText().equals(Bench.pod(due.member))) {
      throw violation("%d starts while another one starts".formatted(due.member));
    }
    if (override) {
      JsonNode order = object("override");
      if (!order.path("pod").asText().equals(Bench.pod(due.member)) || !order.path("basis").toString().equals(basis())) {
        throw violation("an override is carried out that was given for other facts");
      }
      if (!(found ? "empty" : "data").equals(node.state)) {
        throw violation("an override starts a volume that is not whole");
      }
      return;
    }
    if (found ? !List.of("empty", "initialized").contains(node.state) : !List.of("data", "initialized").contains(node.state)) {
      throw violation("a volume is started that is not whole");
    }
    if (acknowledged.stream().anyMatch(this::isOnNoVolume)) {
      throw violation("an acknowledged write is on no volume any more, though none that had it was lost");
    }
    // A member that has left may have applied what the rest of the view had received only, and lost with its power: see architecture.md.
    String view = due.facts.containsKey("view") ? due.facts.get("view").value : "";
    List<String> states = IntStream.range(0, nodes.size()).filter(i -> view.contains(Bench.pod(i))).mapToObj(i -> nodes.get(i).state).toList();
    if (states.contains("empty") && states.stream().filter(state -> !state.equals("data")).count() > 1) {
      throw violation("%d starts although one volume of the view is lost, and another is not whole".formatted(due.member));
    }
    for (int i = 0; i < nodes.size(); i++) {
      boolean counts = view.isEmpty() || view.contains(Bench.pod(i)) || due.facts.containsKey("waiting/" + Bench.pod(i));
      for (int id : nodes.get(i).writes) {
        if (counts && acknowledged.contains(id) && !node.writes.contains(id)) {
          throw violation("%d starts without an acknowledged write that %d has".formatted(due.member, i));
        }
      }
    }
  }

  private Violation violation(String what) {
    return new Violation(what + "\n" + story);
  }

  /**
   * After the power loss of all members, with one volume lost at most, or with all volumes but one in the middle of a copy: without further
   * faults all of them run in the end.
   */
  static GaleraWorld coldStart(long seed) {
    var world = new GaleraWorld(seed, true);
    world.record();
    for (int i = world.random.nextInt(4); i > 0; i--) {
      world.writeOne();
    }
    boolean copying = world.random.nextBoolean();
    if (copying) {
      int donor = world.random.nextInt(world.nodes.size());
      world.nodes.get(donor).applied = world.history.size();
      IntStream.range(0, world.nodes.size()).filter(i -> i != donor).forEach(world::copy);
      world.conf++;
      world.record();
    }
    world.in(Phase.PRIMARY).forEach(world::lag);
    IntStream.range(0, world.nodes.size()).forEach(world::down);
    if (!copying) {
      world.loseVolume(world.random.nextInt(world.nodes.size()));
    }
    world.calm = true;
    return world;
  }

  boolean whole() {
    return in(Phase.PRIMARY).size() == nodes.size();
  }

  String story() {
    return story.toString();
  }
}
