<?php
header('Cache-Control: no-cache, must-revalidate, max-age=0, no-store, private');
echo 'Dashboard';
