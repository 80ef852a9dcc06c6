"""What is made of a report for a person to look at or keep: lines of text, a table for a spreadsheet, a page."""
