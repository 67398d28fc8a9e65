module_version("swath/0.1.0", "default")
