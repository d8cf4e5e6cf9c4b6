select row_to_json("$")::text
from (select ) "$"
