package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.ANY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What Helm says to values that cannot work. The sentences themselves are tested without a cluster. */
@Tag("reference")
@Tag("cluster")
@OnCluster(ANY)
class BadInputIT {

    private final Release release;

    BadInputIT(Release release) {
        this.release = release;
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
        "wordpress: {replicas: three} | wordpress/replicas | integer",
        "wordpres: {replicas: 3}      | wordpres           | not allowed",
        "etcd: {replicas: 4}          | etcd/replicas      | 3, 5",
        "nfs: {enabled: false}        | nfs.enabled        | wordpress.content",
        "{tls: {enabled: false}, etcd: {service: {type: NodePort}}} | etcd.service.type | tls.enabled=true",
        "database: {service: {nodePort: 30306}} | database.service.nodePort | database.service.type=NodePort"})
    @DisplayName("bad input is refused with a sentence that names what is wrong, and nothing is installed")
    void isRefused(String values, String wrong, String instead) {
        assertThatThrownBy(() -> release.with(values).install())
            .isInstanceOf(Helm.HelmFailed.class)
            .hasMessageContaining(wrong).hasMessageContaining(instead);

        assertThat(release.kubernetes().pods().inNamespace(release.namespace()).list().getItems()).isEmpty();
        assertThat(release.kubernetes().secrets().inNamespace(release.namespace()).list().getItems()).isEmpty();
    }
}
