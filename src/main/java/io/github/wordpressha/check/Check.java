package io.github.wordpressha.check;

import io.github.wordpressha.manifest.Problem;
import java.util.List;

/** One rule about the objects of a release as a whole. Stateless. */
public interface Check {

  /** The rule's name in reports: one word, such as {@code reference}. */
  String rule();

  /** One sentence for people: what it looks for. */
  String description();

  /** What breaks the rule; empty if nothing does. */
  List<Problem> run(Objects objects, Cluster cluster);
}
