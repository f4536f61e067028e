package io.github.wordpressha.cluster;

import com.google.cloud.tools.jib.api.Containerizer;
import com.google.cloud.tools.jib.api.Jib;
import com.google.cloud.tools.jib.api.RegistryImage;
import com.google.cloud.tools.jib.api.buildplan.AbsoluteUnixPath;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A newer WordPress, made of the present one: its schema's version is one higher, and its comments have one more column. It is pushed to the
 * registry that all nodes pull from ({@code REGISTRY}), under another tag.
 *
 * @param tag of the image
 * @param schemaVersion that the database has after its upgrade
 */
record NewerCore(String tag, long schemaVersion) {

    /** The column that only the newer core's schema has. */
    static final String COLUMN = "comment_mood";

    private static final String SOURCE = "/usr/src/wordpress/";
    private static final String VERSION = "wp-includes/version.php";
    private static final String SCHEMA = "wp-admin/includes/schema.php";
    private static final Pattern NUMBER = Pattern.compile("(\\$wp_db_version = )(\\d+)(;)");
    private static final Pattern LAST_COLUMN = Pattern.compile("(\\tcomment_parent bigint\\(20\\) unsigned NOT NULL default '0',\\n)");

    static NewerCore of(Release release) throws Exception {
        Pod pod = release.pods("wordpress").get(0);
        String image = pod.getSpec().getContainers().get(0).getImage(); // docker.io/library/wordpress:tag
        String name = System.getenv("REGISTRY") + image.substring(image.indexOf('/'), image.lastIndexOf(':'));
        String tag = image.substring(image.lastIndexOf(':') + 1);
        String newerTag = tag + "-newer";

        String version = read(release, pod, VERSION);
        Matcher number = NUMBER.matcher(version);
        if (!number.find()) {
            throw new IllegalStateException(VERSION + " does not say the schema's version");
        }
        long next = Long.parseLong(number.group(2)) + 1;
        String schema = LAST_COLUMN.matcher(read(release, pod, SCHEMA)).replaceFirst("$1\t" + COLUMN + " varchar(20) NOT NULL default '',\n");
        if (!schema.contains(COLUMN)) {
            throw new IllegalStateException(SCHEMA + " does not look as expected");
        }
        Jib.from(RegistryImage.named(name + ":" + tag))
            .addLayer(List.of(file(VERSION, number.replaceFirst("$1" + next + "$3"))), directory(VERSION))
            .addLayer(List.of(file(SCHEMA, schema)), directory(SCHEMA))
            .containerize(Containerizer.to(RegistryImage.named(name + ":" + newerTag)).setAllowInsecureRegistries(true));
        return new NewerCore(newerTag, next);
    }

    private static String read(Release release, Pod pod, String file) {
        return Pods.exec(release.kubernetes(), release.namespace(), Pods.name(pod), "php", Duration.ofSeconds(20), "cat", SOURCE + file);
    }

    private static Path file(String name, String content) throws IOException {
        Path file = Files.createTempDirectory("core").resolve(Path.of(name).getFileName());
        return Files.writeString(file, content);
    }

    private static AbsoluteUnixPath directory(String file) {
        return AbsoluteUnixPath.get(SOURCE + Path.of(file).getParent());
    }
}
