<?php
/** In place of a default theme, where Debian's core has none: titles, texts and comments of the posts that the address names. */
?>
<!doctype html>
<title><?php bloginfo('name'); ?></title>
<?php wp_head(); ?>
<?php while (have_posts()) : the_post(); ?>
<h2><?php the_title(); ?></h2>
<?php the_content(); ?>
<?php foreach (is_singular() ? get_comments(['post_id' => get_the_ID(), 'status' => 'approve']) : [] as $comment) : ?>
<blockquote><?php comment_text($comment); ?></blockquote>
<?php endforeach; endwhile; ?>
<?php wp_footer(); ?>
