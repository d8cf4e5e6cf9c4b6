"""Where the table is in a file: titles stand above it, totals and notes below it; a workbook has it on a sheet."""
