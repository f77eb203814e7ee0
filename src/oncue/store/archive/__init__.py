"""Events as files of Parquet, where they stay once the log lets go of them."""
