package io.github.wordpressha.manifest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.AnnotatedMember;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.type.LogicalType;
import io.fabric8.kubernetes.api.model.HasMetadata;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Reads a rendered object into its typed class and accepts nothing that the class does not have: an unknown field, a
 * number where a text belongs, a text where a number belongs. fabric8 itself is lenient on all of these.
 */
public final class Decoder {

  private static final ObjectMapper STRICT = strictMapper();

  /**
   * @param object the typed object, empty if there were problems or the kind has no class
   * @param problems why not
   */
  public record Decoded(Optional<HasMetadata> object, List<Problem> problems) {}

  private Decoder() {}

  /** Decodes one object. Custom resources have no class and decode to nothing, without a problem. */
  public static Decoded decode(Manifest manifest) {
    Optional<Class<? extends HasMetadata>> type = ApiCatalog.type(manifest);
    if (type.isEmpty()) {
      return new Decoded(Optional.empty(), unknown(manifest));
    }
    try {
      return new Decoded(Optional.of(STRICT.treeToValue(manifest.tree(), type.get())), List.of());
    } catch (UnrecognizedPropertyException e) {
      String advice = Spelling.didYouMean(
          e.getPropertyName(), e.getKnownPropertyIds().stream().map(String::valueOf).toList());
      return failed(manifest, e, "unknown field \"" + e.getPropertyName() + "\".", advice);
    } catch (JsonMappingException e) {
      return failed(manifest, e, sentence(e), "");
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<Problem> unknown(Manifest manifest) {
    if (ApiCatalog.isCustom(manifest)) {
      return List.of();
    }
    String advice = ApiCatalog.removed(manifest.apiVersion())
        .map(r -> "Kubernetes 1." + r.minor() + " removed it: write " + r.replacement() + ".")
        .orElseGet(() -> Spelling.didYouMean(manifest.type(), ApiCatalog.known()));
    return List.of(Problem.error("api", manifest, "", "no such kind of object: " + manifest.type() + ".", advice));
  }

  private static Decoded failed(Manifest manifest, JsonMappingException e, String message, String advice) {
    return new Decoded(Optional.empty(), List.of(Problem.error("decode", manifest, path(e), message, advice)));
  }

  /** {@code spec.ports[0].port} of Jackson's chain of references. */
  private static String path(JsonMappingException e) {
    return e.getPath().stream()
        .map(r -> r.getFieldName() == null ? "[" + r.getIndex() + "]" : "." + r.getFieldName())
        .collect(Collectors.joining())
        .replaceFirst("^\\.", "");
  }

  private static String sentence(JsonMappingException e) {
    String first = e.getOriginalMessage().lines().findFirst().orElse("does not fit the type");
    return first
        .replaceAll("`?java\\.lang\\.(String)`?", "a text")
        .replaceAll("`?java\\.lang\\.(Integer|Long)`?", "a whole number")
        .replaceAll("`?java\\.lang\\.Boolean`?", "true or false")
        .replaceAll("\\(but could be.*", "");
  }

  private static ObjectMapper strictMapper() {
    JsonMapper mapper = JsonMapper.builder()
        .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
        .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
        .addModule(new com.fasterxml.jackson.datatype.jsr310.JavaTimeModule())
        .annotationIntrospector(new WithoutCatchAll())
        .build();
    for (CoercionInputShape shape : List.of(CoercionInputShape.Integer, CoercionInputShape.Float, CoercionInputShape.Boolean)) {
      mapper.coercionConfigFor(LogicalType.Textual).setCoercion(shape, CoercionAction.Fail);
    }
    return mapper;
  }

  /** fabric8 classes swallow unknown fields in a map of "additional properties". Here they have none. */
  private static final class WithoutCatchAll extends JacksonAnnotationIntrospector {

    private static final long serialVersionUID = 1L;
    private static final List<String> CATCH_ALL =
        List.of("additionalProperties", "getAdditionalProperties", "setAdditionalProperties", "setAdditionalProperty");

    @Override
    public Boolean hasAnySetter(Annotated a) {
      return null;
    }

    @Override
    public Boolean hasAnyGetter(Annotated a) {
      return null;
    }

    @Override
    public boolean hasIgnoreMarker(AnnotatedMember member) {
      return CATCH_ALL.contains(member.getName()) || super.hasIgnoreMarker(member);
    }
  }

  /** Decodes all, in order; the manifests carry their typed objects where that was possible. */
  public static ManifestParser.Result decodeAll(List<Manifest> manifests) {
    var typed = new ArrayList<Manifest>(manifests.size());
    var problems = new ArrayList<Problem>();
    for (Manifest manifest : manifests) {
      Decoded decoded = decode(manifest);
      typed.add(manifest.withObject(decoded.object().orElse(null)));
      problems.addAll(decoded.problems());
    }
    return new ManifestParser.Result(typed, problems);
  }
}
