package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.github.wordpressha.TextFiles;
import io.github.wordpressha.http.Answer;
import io.github.wordpressha.http.Client;
import io.github.wordpressha.http.HttpRows;
import io.github.wordpressha.http.HttpTarget;
import io.github.wordpressha.http.Row;
import io.github.wordpressha.http.Row.Step;
import io.github.wordpressha.http.Row.Table;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * The rows of {@code src/test/resources/http} against an installed pod: its own nginx, php-fpm, mounts and probes. As on a machine without a
 * cluster, some files stand for WordPress, except in the tables that are about core.
 */
@Tag("http")
@Tag("named")
@Tag("cluster")
@OnCluster(THREE_NODES)
class HttpTableIT {

    private static final Duration COMMAND = Duration.ofMinutes(2);
    private static final Path RESOURCES = Path.of("src/test/resources/http");
    private static final Path SITE = RESOURCES.resolve("site");
    /** Of the files that stand for WordPress, those that PHP runs; the readiness page is the chart's own. */
    private static final List<String> SCRIPTS = List.of("index.php", "core.php", "wp-login.php", "wp-admin/index.php", "wp-admin/admin-ajax.php", "wp-admin/admin-post.php");
    /** About a database that is away, which WordPressIT takes away; and about an address of the machine itself. */
    private static final Set<String> LEFT_OUT = Set.of("database", "proxy-protocol-stranger");
    /** Files that the image's core does not have. */
    private static final List<String> NOT_IN_THE_IMAGE = List.of("/ads.txt", "/.well-known/", "/wp-includes/js/jquery.js");
    private static final String LOOPBACK = "\"127.0.0.0/8\"";

    private final ClusterUnderTest cluster;
    private final Release release;
    private String installed = "";
    private HttpTarget target;

    HttpTableIT(ClusterUnderTest cluster, Release release) {
        this.cluster = cluster;
        this.release = release.withProfile("minimal").with("""
            wordpress:
              existingSecret: accounts
              cron: {enabled: false}
              content: {accessMode: ReadWriteMany, storageClass: shared, size: 256Mi}
            """);
    }

    @BeforeAll
    void install() throws IOException {
        var scripts = new TreeMap<String, String>();
        for (String script : SCRIPTS) {
            scripts.put(key(script), Files.readString(SITE.resolve(script)));
        }
        create("scripts", scripts);
        var accounts = new TreeMap<>(Map.of("admin-password", HttpRows.PASSWORD));
        HttpRows.SALTS.forEach(salt -> accounts.put(salt, "of the test " + salt));
        release.kubernetes().resource(new SecretBuilder().withNewMetadata().withName("accounts").withNamespace(release.namespace()).endMetadata()
            .withStringData(accounts).build()).create();
        create("plugins", texts(RESOURCES.resolve("plugins"), ".php"));
        release.installReady();
        shell(pod(), writing(SITE.resolve("wp-content")));
    }

    @TestFactory
    @DisplayName("every visitor gets the right answer from an installed pod")
    Stream<DynamicContainer> rows() {
        return HttpRows.of(Table.all(RESOURCES).stream().filter(table -> !LEFT_OUT.contains(table.name())).map(HttpTableIT::inTheImage)
            .sorted(Comparator.comparing(this::values)).toList(), this::target);
    }

    private static Table inTheImage(Table table) {
        return new Table(table.name(), table.values(), table.core(), table.rows().stream().filter(HttpTableIT::isInTheImage).toList());
    }

    private static boolean isInTheImage(Row row) {
        return row.steps().stream().noneMatch(step -> NOT_IN_THE_IMAGE.stream().anyMatch(step.path()::startsWith));
    }

    /** The site with a table's values: an upgrade, unless it has them. */
    private HttpTarget target(Table table) {
        String values = values(table);
        if (!values.equals(installed)) {
            release.with(table.core() ? "{wordpress: {muPlugins: [plugins]}}" : standIn()).with(values).upgrade();
            release.awaitReady(Release.TO_ALL_READY);
            installed = values;
            target = new PodTarget(pod());
        }
        return target;
    }

    /** A proxy is this machine. Tables about core come first, as "#" sorts before a brace. */
    private String values(Table table) {
        String values = table.values().toString().replace(LOOPBACK, LOOPBACK + ",\"" + new Nodes(cluster).network() + "\"");
        return table.core() ? "# core\n" + values : values;
    }

    private static String standIn() {
        String mounts = SCRIPTS.stream().map(script -> "{name: scripts, mountPath: /usr/src/wordpress/%s, subPath: %s}".formatted(script, key(script))).collect(joining(", "));
        return """
            wordpress:
              extraVolumes: [{name: scripts, configMap: {name: scripts}}, {name: state, emptyDir: {}}]
              extraVolumeMounts: [{name: state, mountPath: /usr/src/state}, %s]
            """.formatted(mounts);
    }

    private static String key(String script) {
        return script.replace('/', '_');
    }

    private void create(String name, Map<String, String> data) {
        release.kubernetes().resource(new ConfigMapBuilder().withNewMetadata().withName(name).withNamespace(release.namespace()).endMetadata().withData(data).build()).create();
    }

    private static Map<String, String> texts(Path directory, String ending) {
        var texts = new TreeMap<String, String>();
        TextFiles.below(directory).stream().filter(file -> file.toString().endsWith(ending)).forEach(file -> texts.put(file.getFileName().toString(), TextFiles.read(file)));
        return texts;
    }

    /** A script that writes the files below the directory into the content. */
    private static String writing(Path directory) {
        return TextFiles.below(directory).stream().map(file -> "f='/usr/src/wordpress/wp-content/%s'; mkdir -p \"${f%%/*}\"; echo %s | base64 -d >\"$f\"".formatted(
            directory.relativize(file), Base64.getEncoder().encodeToString(TextFiles.read(file).getBytes(UTF_8)))).collect(joining("\n"));
    }

    private Pod pod() {
        return release.pods("wordpress").stream().filter(pod -> !pod.isMarkedForDeletion()).findFirst().orElseThrow();
    }

    private void shell(Pod pod, String script) {
        Pods.exec(release.kubernetes(), release.namespace(), Pods.name(pod), "php", COMMAND, "sh", "-ec", script);
    }

    private final class PodTarget implements HttpTarget {

        private final Pod pod;
        private final Client client;

        private PodTarget(Pod pod) {
            this.pod = pod;
            URI address = cluster.addressOf(pod, Pods.port(pod, "http"));
            client = new Client(new InetSocketAddress(address.getHost(), address.getPort()), "site.example");
        }

        @Override
        public Answer send(Step step) {
            return client.send(step);
        }

        @Override
        public void change(String page, String kind) {
            shell(pod, "printf %s '" + kind + "' >'/usr/src/state/page-" + page + "'");
        }

        @Override
        public void database(boolean available) {
            throw new UnsupportedOperationException("no row here takes the database away");
        }

        @Override
        public void close() {
            // The pod goes with its release.
        }
    }
}
