package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.wordpressha.cluster.Session.Media;
import io.github.wordpressha.cluster.Session.Post;
import java.time.Duration;

/**
 * What a person did on the site, to be found again later.
 *
 * @param post the post that was published
 * @param image the bytes of the image that was uploaded with it
 */
record Story(Post post, byte[] image) {

    private static final Duration ALL_IS_WELL = Duration.ofSeconds(30);

    /** Logs in as administrator, uploads an image, and publishes a post with it. */
    static Story write(Release release, String title) {
        Session session = release.logIn();
        assertThat(session.get("/wp-admin/").expect(200).text()).contains("wp-admin-bar");
        byte[] image = Images.png(title.hashCode());
        Media media = session.upload("picture.png", image);
        return new Story(session.publish(title, media), image);
    }

    /** The post is read, and the image has the same bytes, through the Service and through every WordPress pod. */
    void isReadEverywhere(Release release) {
        Await.until("the post is read at the site", ALL_IS_WELL, () -> isRead(release.site()));
        for (var pod : release.pods("wordpress")) {
            Await.until("the post is read through " + Pods.name(pod), ALL_IS_WELL, () -> isRead(release.site(pod)));
        }
    }

    private void isRead(Site site) {
        assertThat(site.get(post.path()).expect(200).text()).contains(post.title()).contains(post.image().path());
        assertThat(site.get(post.image().path()).expect(200).bytes()).isEqualTo(image);
    }
}
