-- One row a verdict.

select c.conversation_id, c.rubric, c.rubric_version, c.key, k.code, k.position, k.title, k.severity, k.scale,
       v.answer, v.support, v.reasoning,
       k.scale = 'defect' and v.answer = 'present' and v.support = 'verified' as flagged,
       k.scale = 'defect' and v.answer = 'present' and v.support <> 'verified' as unsupported
from counted c
join verdict v on v.key = c.key
join criterion k on k.rubric = c.rubric and k.rubric_version = c.rubric_version and k.code = v.criterion
