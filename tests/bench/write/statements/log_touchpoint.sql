-- $1: id, $2: contact, $3: instant
insert into touchpoint (id, contact_id, occurred_at, kind, direction)
values ($1, $2, $3, 'CALL', 'OUTBOUND')
returning convert_to(json_build_object('touchpoint', json_build_object('id', 'touchpoint_' || id, 'occurredAt', occurred_at,
  'kind', kind), 'userErrors', json_build_array())::text, 'UTF8')
