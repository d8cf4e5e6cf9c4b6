select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select ) "$") as "products") "$"
