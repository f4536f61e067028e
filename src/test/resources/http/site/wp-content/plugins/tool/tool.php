<?php echo "tool runs";
