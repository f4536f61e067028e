package io.github.wordpressha.publish;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.check.Objects;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/** The images that a chart runs, as a list and as a CycloneDX 1.6 bill of materials. */
public final class Sbom {

  private Sbom() {}

  /** The images of all containers, each once. */
  public static Set<String> images(Objects objects) {
    var images = new TreeSet<String>();
    objects.workloads().forEach(w -> w.containers().forEach(c -> images.add(c.container().getImage())));
    return images;
  }

  /** The bill of materials; the same images give the same bytes. */
  public static ObjectNode cycloneDx(String chart, String version, Collection<String> images) {
    ObjectNode sbom = new ObjectMapper().createObjectNode();
    sbom.put("$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json");
    sbom.put("bomFormat", "CycloneDX");
    sbom.put("specVersion", "1.6");
    String content = chart + " " + version + " " + new TreeSet<>(images);
    sbom.put("serialNumber", "urn:uuid:" + UUID.nameUUIDFromBytes(content.getBytes(StandardCharsets.UTF_8)));
    sbom.put("version", 1);
    ObjectNode component = sbom.putObject("metadata").putObject("component");
    component.put("type", "application");
    component.put("bom-ref", chart);
    component.put("name", chart);
    component.put("version", version);
    var components = sbom.putArray("components");
    new TreeSet<>(images).forEach(image -> {
      ImageReference reference = ImageReference.parse(image);
      ObjectNode entry = components.addObject();
      entry.put("type", "container");
      entry.put("bom-ref", image);
      entry.put("name", reference.registry() + "/" + reference.repository());
      entry.put("version", reference.tag().isEmpty() ? reference.digest() : reference.tag());
      entry.put("purl", reference.packageUrl());
      if (!reference.digest().isEmpty()) {
        ObjectNode hash = entry.putArray("hashes").addObject();
        hash.put("alg", "SHA-256");
        hash.put("content", reference.digest().replaceFirst("^sha256:", ""));
      }
    });
    composition(sbom, "complete", List.of(chart));
    composition(sbom, "unknown", new TreeSet<>(images));
    return sbom;
  }

  /** How much of what these consist of is listed: all images of the chart, but nothing of what is in an image. */
  private static void composition(ObjectNode sbom, String aggregate, Collection<String> references) {
    ObjectNode composition = sbom.withArray("compositions").addObject();
    composition.put("aggregate", aggregate);
    references.forEach(composition.putArray("assemblies")::add);
  }
}
