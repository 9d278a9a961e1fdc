"""What an audit found, as a section of the report and as a page of its own."""
