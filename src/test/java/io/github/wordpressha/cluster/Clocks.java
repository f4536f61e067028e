package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Clocks that each member of the database has by itself, as on a node whose clock is wrong: the nodes of a test cluster share one kernel. The
 * processes of a member's pod preload {@code clock.c}. The clock that measures how long something takes is left alone, as it is where a
 * node's clock is set.
 */
record Clocks(Release release) {

    private static final Path SOURCE = Path.of("src/test/resources/cluster/clock.c");
    private static final String NAME = "clocks";
    /** In the volume that all containers of a member share. */
    private static final String OFFSET = "/run/member/clock";
    private static final List<EnvVar> VARIABLES = List.of(new EnvVarBuilder().withName("LD_PRELOAD").withValue("/clocks/clock.so").build(),
        new EnvVarBuilder().withName("CLOCK_OFFSET").withValue(OFFSET).build());
    private static final Duration COMMAND = Duration.ofMinutes(1);

    /** Restarts the members with clocks of their own, which are right. */
    void give() {
        var library = new ConfigMapBuilder().withNewMetadata().withName(release.fullname() + "-clocks").withNamespace(release.namespace()).endMetadata()
            .addToBinaryData("clock.so", Base64.getEncoder().encodeToString(library())).build();
        release.kubernetes().resource(library).create();
        release.kubernetes().apps().statefulSets().inNamespace(release.namespace()).withName(release.fullname() + "-mysql").edit(set -> {
            PodSpec pod = set.getSpec().getTemplate().getSpec();
            pod.getVolumes().add(new VolumeBuilder().withName(NAME).withNewConfigMap().withName(release.fullname() + "-clocks").endConfigMap().build());
            Stream.concat(pod.getInitContainers().stream(), pod.getContainers().stream()).filter(Clocks::canBeSet).forEach(Clocks::use);
            return set;
        });
    }

    /** Sets a member's clock: its processes see it within a second or two. */
    void set(String member, Duration off) {
        Pods.exec(release.kubernetes(), release.namespace(), member, "mysql", COMMAND, "bash", "-c",
            "printf '%%+d\\n' \"$0\" >%1$s.new && mv %1$s.new %1$s".formatted(OFFSET), String.valueOf(off.toSeconds()));
        Await.until("the clock of " + member + " is set", COMMAND, () ->
            assertThat(Duration.between(Instant.now(), now(member)).minus(off).abs()).isLessThan(Duration.ofSeconds(5)));
    }

    private Instant now(String member) {
        return Instant.ofEpochSecond(Long.parseLong(Pods.exec(release.kubernetes(), release.namespace(), member, "mysql", COMMAND, "date", "+%s").strip()));
    }

    private static boolean canBeSet(Container container) {
        return container.getVolumeMounts().stream().anyMatch(mount -> OFFSET.startsWith(mount.getMountPath() + "/"));
    }

    private static void use(Container container) {
        container.getVolumeMounts().add(new VolumeMountBuilder().withName(NAME).withMountPath("/clocks").withReadOnly(true).build());
        container.getEnv().addAll(VARIABLES);
    }

    private static byte[] library() {
        try {
            Path directory = Files.createTempDirectory("clock");
            Path library = directory.resolve("clock.so");
            Programs.run(Map.of(), COMMAND, "cc", "-O2", "-shared", "-fPIC", "-o", library.toString(), SOURCE.toString());
            return Files.readAllBytes(library);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
