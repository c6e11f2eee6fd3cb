"""What could be shown: data sets, groups, RecBole models and candidate pools."""
