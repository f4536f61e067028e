package io.github.wordpressha.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.manifest.Problem;
import java.util.List;

/** Problems in SARIF 2.1.0, which code hosts show beside the lines of a change. */
final class Sarif {

  private Sarif() {}

  static ObjectNode of(List<Problem> problems) {
    ObjectNode sarif = new ObjectMapper().createObjectNode();
    sarif.put("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    sarif.put("version", "2.1.0");
    ObjectNode run = sarif.putArray("runs").addObject();
    ObjectNode driver = run.putObject("tool").putObject("driver");
    driver.put("name", "wordpress-ha-verify");
    driver.put("informationUri", "https://github.com/wordpress-ha/wordpress-ha");
    var rules = driver.putArray("rules");
    CheckCommand.rules().forEach(rule -> {
      ObjectNode entry = rules.addObject();
      entry.put("id", rule.getKey());
      entry.putObject("shortDescription").put("text", rule.getValue());
    });
    var results = run.putArray("results");
    problems.forEach(problem -> {
      ObjectNode result = results.addObject();
      result.put("ruleId", problem.rule());
      result.put("level", problem.severity().name().toLowerCase(java.util.Locale.ROOT));
      result.putObject("message").put("text", (problem.message() + " " + problem.advice()).strip());
      ObjectNode location = result.putArray("locations").addObject();
      if (!problem.file().isEmpty()) {
        location.putObject("physicalLocation").putObject("artifactLocation").put("uri", problem.file());
      }
      location.putArray("logicalLocations").addObject()
          .put("fullyQualifiedName", problem.object() + (problem.path().isEmpty() ? "" : "/" + problem.path()));
    });
    return sarif;
  }
}
