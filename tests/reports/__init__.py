"""Each figure of each kind of report, counted again from the rows that the demo clinic serves on its port."""
