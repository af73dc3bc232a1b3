"""What an assistant or a colleague writes, by concept: phrases in English, Portuguese and Spanish, without accents.

How a phrase is written stands in `words`. The lists follow how such agents write in general.
"""

from __future__ import annotations

from grader.judge.signals.ask_words import ASKS
from grader.judge.signals.policy_words import EXACT, TOPICS
from grader.judge.signals.words import Phrases

_I_EN = "i'll|i|we'll|we|let|i'm|we're|i've|we've"
_PARTNER_EN = "carrier|courier|driver|warehouse|supplier|depot|manufacturer|factory|bank|seller|store|logistics"
_PARTNER_PT = "transportadora|transportador|entregador|motorista|armazem|deposito|estoque|fornecedor|fabricante|correios|banco|fabrica"
_PARTNER_ES = "transportista|paqueteria|repartidor|mensajero|mensajeria|almacen|deposito|bodega|proveedor|fabricante|correo|correos|banco|courier|chofer|conductor|transporte"
_TEAM_EN = "team|colleague|colleagues|department|supervisor|manager|specialist|specialists|them|office"
_TEAM_PT = "equipe|time|setor|colega|colegas|departamento|supervisor|supervisora|eles|area|responsaveis|gerencia"
_TEAM_ES = "equipo|area|departamento|companero|companera|companeros|colega|colegas|supervisor|supervisora|ellos|encargado|responsables"
_THING_EN = "order|parcel|package|return|refund|payment|exchange|replacement|claim|complaint|ticket|request|case|item|cancellation|invoice|money|shipment|delivery"
_THING_PT = "pedido|pacote|encomenda|devolucao|reembolso|estorno|pagamento|troca|reclamacao|chamado|solicitacao|caso|item|cancelamento|nota|compra|entrega|produto"
_THING_ES = "pedido|paquete|envio|devolucion|reembolso|pago|cambio|reclamo|reclamacion|ticket|solicitud|caso|articulo|cancelacion|factura|compra|entrega|producto|reintegro|queja"
_STATE_EN = "shipped|dispatched|registered|received|processed|approved|cancelled|canceled|refunded|delivered|confirmed|accepted|completed|issued|logged|arrived|sent|initiated|opened|posted"
_STATE_PT = "enviado|enviada|despachado|despachada|registrado|registrada|recebido|recebida|processado|processada|aprovado|aprovada|cancelado|cancelada|reembolsado|reembolsada|entregue|confirmado|confirmada|concluido|concluida|emitido|emitida|estornado|aceito|aceita|aberto|aberta|iniciado|iniciada"
_STATE_ES = "enviado|enviada|despachado|despachada|registrado|registrada|recibido|recibida|procesado|procesada|aprobado|aprobada|cancelado|cancelada|reembolsado|reembolsada|entregado|entregada|confirmado|confirmada|completado|completada|emitido|emitida|aceptado|aceptada|abierto|abierta|iniciado|iniciada|ingresado|ingresada"

CONCEPTS = {
    "announces": f"""
pass|passing|hand|handing|transfer|transferring|connect|connecting|put|putting|bring|bringing|get|getting|forwarding you|this|it|your|everything|a|the ..8 {_TEAM_EN}|person|human|agent|someone|through|over
pass|passing|hand|handing|transfer|transferring|connect|connecting|put|putting you ..2 now|through|over|on
connecting|transferring|passing|handing you
being transferred
colleague|person|human|agent|someone|specialist ..2 is|will take|taking|takes|join|joins|be|answers|answer ..1 over|with|now|shortly
escalating|escalate|escalated this|it|your|you
vou|estou|ja|posso|vamos ..2 passar|passando|transferir|transferindo|encaminhar|encaminhando|direcionar|chamar|chamando|conectar|passo ..6 {_TEAM_PT}|atendente|pessoa|alguem|humano
vou|estou|ja ..2 te|lhe|voce passar|passando|transferir|transferindo|encaminhar|encaminhando
te|lhe passo|transfiro|encaminho
passando|transferindo|encaminhando|transferir|encaminhar voce|seu|sua|o|a|para|te ..6 {_TEAM_PT}|atendente|pessoa|alguem|humano
te|le|lo|la|les|os paso|comunico|transfiero|derivo|conecto|pongo|pasare|comunicare|transferire|derivare|conectare
paso|derivo|transfiero|escalo|dejo|traslado ..4 caso|conversacion|chat|esto|todo
voy|vamos a pasarte|pasarle|transferirte|transferirle|comunicarte|comunicarlo|comunicarle|conectarte|derivarte|derivarlo|pasar|derivar|transferir|escalar
estoy pasando|transfiriendo|pasandote|derivando|conectando
""",
    "negates": """
not|can't|cannot|couldn't|won't|don't|doesn't|didn't|isn't|aren't|wasn't|unable|unfortunately|never|haven't|hasn't|wouldn't|nothing|nobody|without|no|neither|nor|cant|dont
nao|nunca|infelizmente|impossivel|sem|nem|nenhum|nenhuma|nada|ninguem
no|nunca|lamentablemente|imposible|sin|tampoco|ni|ningun|ninguna|ninguno|nadie
""",
    "offers": """
shall|should|may|can|could i|we
would you like|prefer
do you want
want me to
if you like|want|wish|prefer
posso|podemos|quer|gostaria|prefere|deseja
se voce quiser|preferir|desejar
se quiser|preferir
puedo|podemos|quieres|queres|quiere|gustaria|prefieres|preferis|prefiere|desea|deseas
si quieres|queres|quiere|gustas|prefieres|lo
""",
    # What may be, or usually is, is not asserted; "when" and "before" order what is.
    "supposes": """
if|unless|usually|normally|generally|typically|often|sometimes|depending|depends|may|might|could|would|should|perhaps|maybe
se|caso|normalmente|geralmente|costuma|costumam|pode|poderia|talvez|deveria|dependendo
si|normalmente|generalmente|suele|suelen|puede|podria|quiza|quizas|deberia|depende
""",
    "orders_time": """
once|when|whenever|until|before|after|as
assim que
quando|enquanto|depois|antes|logo
en cuanto
cuando|mientras|despues|antes|una
""",
    "unable": """
can't|cannot|couldn't|unable|unfortunately
may|am|i'm|could not
have|there's no|neither|nothing
only ..2 supervisor|manager|colleague|person|team|they
don't|doesn't have|know|see
nothing ..2 can
not allowed|able|possible|something
nao consigo|posso|tenho|ha|da|sou|e|existe|encontro|temos
infelizmente|impossivel
so|somente|apenas ..3 supervisor|supervisora|colega|equipe|pessoa
no puedo|tengo|hay|es|encuentro|veo|me|logro|tenemos|esta
lamentablemente|imposible
solo|solamente|unicamente ..3 supervisor|supervisora|companero|companera|equipo|persona
supervisor|supervisora|manager
""",
    "future": """
will|i'll|we'll|you'll|it'll|they'll|going|expect|should|arrive|arrives|until|by|within|up|takes|take|latest
vai|vao|vou|sera|serao|chega|chegam|ate|em|dentro|prazo|demora|leva|cai|recebe|recebera|chegara|previsto|prevista|aguarde
va|van|voy|sera|seran|llega|llegan|llegara|hasta|en|dentro|plazo|tarda|tardan|recibira|recibiras|maximo|tardar|demora
""",
    "past": """
was|were|had|left|arrived|reached|ago|since|last|earlier|yesterday|previous|placed|went|came|departed|ended|did|expired|bought|ordered
foi|foram|era|saiu|chegou|passada|passado|ontem|desde|anterior|estava|fez|teve|comprou|terminou|expirou|entregue|venceu
fue|fueron|era|salio|llego|pasada|pasado|ayer|desde|hace|anterior|estaba|hizo|entrego|compraste|compro|termino|vencio|entregado
""",
    "done": f"""
done|sorted
all set|done|sorted
it's|its|is|are|now ..2 done|set|sorted|updated|changed|cancelled|canceled|registered|confirmed|active|completed
{_THING_EN}|address ..6 has|have|is|was|are|now ..2 been ..1 {_STATE_EN}|changed|updated|modified
{_THING_EN}|address ..6 is|are ..1 {_STATE_EN}|changed|updated|modified|set
i've|we've|i|we|have ..2 changed|updated|cancelled|canceled|registered|opened|created|processed|exchanged|refunded|booked|arranged|switched|corrected
successfully
listo|lista|hecho|solucionado
quedo|queda|quedaron|ya|esta ..2 asi|actualizado|actualizada|cambiado|cambiada|modificado|modificada|{_STATE_ES}
he|hemos|fue|ha|han ..2 actualizado|actualizada|cambiado|cambiada|creado|creada|generado|generada|sido|{_STATE_ES}
cambie|actualice|cancele|registre|abri|genere|tramite ..1 tu|su|el|la|una|un
pronto|prontinho|feito|resolvido|prontinha
ficou|esta|foi|fica|ja|foram ..2 assim|atualizado|atualizada|alterado|alterada|gerado|gerada|criado|criada|{_STATE_PT}
alterei|atualizei|cancelei|registrei|abri|gerei|criei|fiz|troquei ..1 o|a|seu|sua|um|uma
com sucesso
""",
    # Assertions about this customer's own case.
    "states": f"""
your|the ..3 {_THING_EN} ..4 has|have|is|was|were|are ?now ?already ?just ?also ?not ?fully ?successfully ?been ?being {_STATE_EN}
your|the ..3 {_THING_EN} ..4 has|have|was|is ?now ?already ?just left|arrived|gone|reached
your|the ..3 {_THING_EN} ..2 is|are ?now ?already ?currently ?being ?still on|out|in|being|under|at|processed|checked|reviewed|prepared|inspected ..3 way|delivery|transit|processed|process|review|checked|prepared|warehouse|progress|inspected|reviewed|carrier|route|us
your ..4 {_THING_EN} ..2 arrived|shipped|left|went
your ..3 has|have ?now ?already ?just ?also ?been arrived|shipped|left|landed|delivered|refunded|dispatched|received|returned
i|we|we've|i've|have ?can ?have ?already ?now received|processed|approved|registered|refunded|issued|shipped|dispatched|sent ..1 your
refund ..3 is|was|has ?now ?already ?been on|processed|being|approved|issued
seu|sua|o|a|teu|tua ..3 {_THING_PT} ..4 foi|esta|ja|foram|ficou|consta ?ja ?esta ?foi ?sendo ?como ?em {_STATE_PT}|caminho|transito|analise|andamento|rota|transporte|separacao|processamento|processo
seu|sua|o|a|teu|tua ..3 {_THING_PT} ..4 ja|tambem ?foi ?esta ?saiu|chegou|chegaram|voltou|caiu|entrou
seu|sua ..3 {_THING_PT} ..2 saiu|chegou|voltou|caiu|entrou
seu|sua|teu|tua ..3 ja ?foi|esta chegou|saiu|voltou|recebido|recebida|entregue|enviado|enviada
recebemos|registramos|aprovamos|processamos|enviamos ?ja ?aqui seu|sua|o|a
ja ?foi ?esta recebemos|registramos|processamos|enviamos|{_STATE_PT}
tu|su|el|la ..3 {_THING_ES} ..4 fue|esta|ha|ya|quedo|se ?ya ?fue ?esta ?ha ?sido ?siendo ?en {_STATE_ES}|camino|transito|revision|proceso|reparto|curso|tramite|preparacion|ruta|procesando
tu|su|el|la ..3 {_THING_ES} ..4 ya ?se salio|llego|envio|entrego|registro|proceso|recibio
tu|su ..3 {_THING_ES} ..2 salio|llego|volvio
tu|su ..3 ya ?fue|esta llego|salio|volvio|recibido|recibida|entregado|enviado|enviada
recibimos|registramos|aprobamos|procesamos|enviamos|hemos ?ya ?recibido ?registrado tu|su|el|la
ya ?fue ?esta ?ha ?sido recibimos|registramos|procesamos|{_STATE_ES}
""",
    # Actions that a chat assistant takes only with a tool of that name.
    "promises_notice": """
i'll|i let|keep|notify|update|message|text|ping|alert|inform you|an|a|closely
i'll|i|will ?will ?also ?then ?personally let|keep|notify|update|message|text|ping|alert|inform|write|remind you
i'll|i ?will ?also ?then ?personally ?and get|come|be|check|report|circle back|in ..2 you|touch|with
i'll|i|i'm ?will ?also ?then ?personally ?going ?to keep|keeping|watch|watching|monitor|monitoring|track|tracking|follow|following ..2 an|it|eye|this|your|the|up|on|closely|everything
we'll|we ?will ?also ?then let|keep|notify|update|message|text|alert|inform|write you
you'll|you|will ?will hear ..1 from|back me|from
message|notify|update|text|ping|inform|alert you ..2 here|if|when|once|anything|soon
te|lhe|vou|vamos|eu|ja ?te ?lhe ?voce aviso|avisar|avisarei|avisamos|notifico|notificar|notificarei|informo|atualizo|atualizar|escrevo|chamo|mando
aviso|avisarei|avisamos voce|por|aqui|assim|quando|te
te|lhe manter ?sempre informad*|atualizad*
te|lhe mantenho|mantemos|retorno|respondo
vou|fico|estou|continuo|sigo ?ficar acompanhando|acompanhar|monitorar|monitorando ..1 o|a|seu|sua|de|por|tudo|isso|aqui
fico|vou|ficar ?ficar de olho|olho
de olho
volto ..2 escrever|falar|avisar|chamar|aqui|com|contatar
entro|entrarei|entraremos|vou ?entrar em contato com|contigo voce|vc
te|le|os|les aviso|avisare|avisamos|notifico|notificare|notificamos|informo|informare|escribo|escribire|mantendre|mantengo|mantenemos|actualizo|contacto|contactare
voy|vamos a avisarte|avisarle|avisar|notificarte|notificarle|informarte|informarle|escribirte|escribirle|mantenerte|contactarte|contactarle
estare|estoy|seguire|voy ?al ?a pendiente|monitoreando|siguiendo|vigilando|monitorear|seguir|dar|atenta|atento ..2 de|el|tu|su|del|al|la|seguimiento
le|te doy|dare|daremos seguimiento
sigo|seguire|hare|doy|dare ..2 seguimiento
me pondre|pongo|comunico|comunicare en|con ?contacto contigo|usted|ti
quedo|estare ?muy al pendiente
vuelvo|regreso ?a contigo|escribirte|contactarte|avisarte
""",
    "promises_call": """
i'll|i|we'll|we|going|let ?will ?me ?to ?also ?personally call|phone|ring|telephone you|back|them
call|phone|ring you ?right back|shortly|later|tomorrow
colleague|we|manager|team ..3 call|phone|ring you ?back
vou|vamos ?te ?lhe ligar|telefonar
te|lhe ligo|ligamos|telefono|ligarei|ligaremos
te|le|los|les llamo|llamamos|llamare|llamaremos|marco|telefoneo|llamaran
voy|vamos a llamarte|llamarle|marcarte|marcarle
""",
    "promises_mail": """
i'll|i|we'll|i'm|i've|let ?will ?me ?now ?also ?just ?going ?to send|sending|email|mail|sent|emailed|forward ..7 email|mail|inbox
i'll|i|i'm|i've|we've ?will ?just ?already ?going ?to email|emailing|emailed you|the|it|a|your
te|lhe|vou|ja|eu ?te ?lhe envio|enviar|enviei|mando|mandar|mandei|encaminho|enviarei ..7 email|mail
te|le|lo|la|os|les envio|mando|envie|mande|enviare|mandare|remito ..7 correo|email|mail
voy a enviarte|enviarle|mandarte|mandarle|enviar|mandar ..7 correo|email|mail
""",
    "promises_partner": f"""
i'll|i|we'll|we've|i've|i'm|let|we ?will ?me ?have ?also ?now ?already ?just ?going ?to contact|contacted|contacting|call|called|calling|tell|told|ask|asked|asking|inform|informed|speak|spoke|spoken|talk|talked|reach|reached|reaching|notify|notified|alert|alerted|let|instructed|instruct|message|messaged|chase|chased|check|forward|forwarded|passed|urge|urged ..6 {_PARTNER_EN}
{_PARTNER_EN} ..1 has|have ?already ?now been informed|notified|contacted|told|instructed|asked|alerted
vou|ja|vamos|eu|estou ?ja ?vou ?entrar ?em ?me falar|falei|avisar|avisei|contatar|contatei|contato|pedir|pedi|solicitar|solicitei|ligar|liguei|acionar|acionei|cobrar|cobrei|orientar|orientei|encaminhar|encaminhei ..4 {_PARTNER_PT}
entrei|entro|entrarei em contato com ..2 {_PARTNER_PT}
aviso|acionei|avisei|falei|contatei|acionamos|cobrei|peco|pedi ..3 {_PARTNER_PT}
ya|he|hemos|voy|me|le|les ?ya ?voy ?he ?a ?les ?le ?me ?pongo ?puse ?pondre ?en hable|hablado|hablar|avise|avisado|avisar|contacte|contactado|contactar|contacto|pedi|pedido|pedir|pido|solicite|solicitado|solicitar|llame|llamado|llamar|llamo|aviso|notifique|notificado|notificar|comunico|comunique|indicado|indique ..4 {_PARTNER_ES}
contacte|avise|hable|aviso|contacto ..3 {_PARTNER_ES}
""",
    "promises_hold": """
i'll|i|i've|we'll|we've|let|i'm ?will ?me ?can ?just ?also ?now ?have ?already reserve|reserved|reserving|hold|holding|held|put|set|save|saved|keep ..4 for|aside|reserved you|aside
deixei|deixo|esta|ja ..4 reservado|reservada|separado|separada|guardado|guardada ..1 voce|vc|ti
reservei|separei|guardei|reservo|separo|guardo ..5 voce|vc|ti
vou reservar|separar|guardar o|a|um|uma|para|pra
te|le|se|lo|la|ya ?la ?lo reservo|reserve|aparto|aparte|guardo|guarde|separo|separe|apartado|reservado
""",
    "promises_team": f"""
i'll|i|i've|we've|we'll|let|have ?will ?me ?have ?also ?just ?now ?already forward|forwarded|pass|passed|passing|escalate|escalated|flag|flagged|report|reported|submit|submitted|log|logged|raise|raised|share|shared|send|sent|ask|asked|tell|told|let|notify|notified|inform|informed ..10 {_TEAM_EN}
i've|i|i'll|have|we've ?will ?have ?also ?just added|add|left|leave|put|made ..3 note|request
i've|i|i'll|we've ?will ?have ?also ?just ?now ?already escalated|flagged|logged|forwarded|raised|reported|submitted your|this|it|the
vou|ja|vamos|eu ?ja ?vou ?te encaminhar|encaminhei|encaminho|repassar|repassei|repasso|passar|passei|avisar|avisei|pedir|pedi|solicitar|solicitei|registrar|registrei|sinalizar|sinalizei|enviar|enviei|comunicar|comuniquei ..10 {_TEAM_PT}
encaminhei|repassei|sinalizei|registrei|avisei|reportei|solicitei ..10 {_TEAM_PT}
deixei|fiz|adicionei|coloquei ..3 observacao|nota|anotacao|registro
voy|ya|he|hemos|le|lo|les ?ya ?he ?a ?lo ?le paso|pase|pasado|pasar|pasare|envio|envie|enviado|enviar|reporte|reportado|reportar|escale|escalado|escalar|remiti|remitido|avise|avisado|avisar|comunique|comunicado|solicite|solicitado|traslade|trasladado|notifique|notificado ..10 {_TEAM_ES}
ya ?lo ?la ?le deje|registre|reporte|escale|anote|pase|envie ..6 {_TEAM_ES}|nota|reporte|solicitud
deje|dejo|agregue|puse ?una ..2 nota|anotacion|constancia
""",
    "grants": """
i'll|i|i've|we'll|we've|let|i'm|we're ?will ?can ?have ?me ?going ?to ?also ?just ?gladly ?happily give|given|giving|add|added|apply|applied|applying|offer|offering|grant|granted|send|sent|put|credit|credited|include|included|throw|arrange|set ..5 discount|voucher|coupon|off|bonus|compensation
i'll|i|i've|we'll|we've|let ?will ?can ?have ?me ?also give|given|add|added|send|sent|offer|include ..3 free|little|small|store|goodwill gift|credit|code
i'll|i|i've|we'll|we've|let|we|i'm ?will ?can ?have ?me ?just ?gladly ?happily ?going ?to waive|waived|waiving|refund|refunded|cover|covered|extend|extended|upgrade|upgraded ..4 fee|fees|shipping|label|cost|costs|deadline|window|period|express|charge|delivery
there's|here's|you'll|enjoy ?get ?have ?receive ..3 off|discount|voucher|coupon ..2 you|your|next|at|for|on
will be taken|deducted off|from ..2 next order|purchase
make|making|made|granted|grant ?you ?an|one exception
as|by way ..2 courtesy|goodwill|apology|gesture|exception
on the house
free of charge ..2 this time|once
eu|vou|posso|ja|te|consigo|vamos|deixo|estou ?te ?lhe ?ja ?vou dar|dou|dei|liberar|libero|liberei|liberando|oferecer|ofereco|conceder|concedo|concedi|aplicar|aplico|apliquei|incluir|inclui|enviar|envio|deixar|deixo|deixei|gerar|gerei|adicionar|adicionei|credito|creditei|consigo|garanto ..4 desconto|cupom|voucher|brinde|vale|bonus|cashback
liberei|apliquei|deixei|adicionei|gerei|coloquei|inclui ..4 desconto|cupom|voucher|brinde|vale|cashback
voce|vc ganha|ganhou|recebe|recebera|tem|vai ..3 desconto|cupom|voucher|brinde|cashback
use|usa|usar ..2 cupom|codigo
vou|posso|consigo|ja|estou isentar|isentei|abonar|abonei|estender|estendi|prorrogar|prorroguei|isentando
abrir|abro|abri|fazer|faco|fiz|abrimos|fazemos|abrindo|abre uma|essa excecao
como|por ?um ?uma cortesia|gentileza|mimo|carinho
te|le|os|les|voy|puedo|he|hemos|ya ?te ?le ?a ?voy doy|dare|dar|darte|darle|dejo|ofrezco|ofrecer|ofrecerte|ofrecerle|aplico|aplicar|aplique|aplicado|regalo|regalamos|concedo|genero|genere|generado|agrego|agregue|agregado|anado|anadido|incluyo|incluido|mando|envio|acredito|activo|hago|consigo ..4 descuento|cupon|regalo|bono|bonificacion|saldo
tienes|tiene|tenes|recibes|recibiras|recibira|tendras|tendra|cuentas|usa|use|ocupa ..3 descuento|cupon|bono|regalo
te|le|voy|puedo|he ?te ?le ?a condono|condonar|exento|exentar|extiendo|extender|amplio|ampliar|perdono|bonifico|bonificar
hacer|hago|hare|haremos|hacemos|hice ?te ?le una|esta excepcion
como|por ?una|un cortesia|atencion|detalle|disculpa|compensacion
""",
    # Taking back what is out of time, and not charging what is due.
    "grants_late": """
i'll|we'll|i|we|can ?can ?will ?gladly accept|take|allow|approve ..5 anyway|regardless|even though|this time|as an exception|one-time|late
won't|not ?be charge|charging|charged ..3 you ..4 label|fee|shipping|return|delivery|cost
aceito|aceitamos|aceitar|aprovo|aprovamos|libero|abrimos|abro ..6 mesmo|excepcionalmente|dessa vez|desta vez|fora do prazo
nao|sem ..2 cobrar|cobro|cobramos|cobrarei ..5 etiqueta|taxa|frete|envio|nada
acepto|aceptamos|aceptar|apruebo|autorizo|abro ..6 aunque|igual|excepcionalmente|esta vez|fuera de plazo
no ..2 cobro|cobramos|cobrare|cobrar ..5 etiqueta|envio|tarifa|nada
""",
    "about": """
about|approximately|around|nearly|almost|roughly|some|over|under|total|difference|sum
cerca|aproximadamente|quase|mais|menos|total|diferenca|soma
unos|unas|aproximadamente|casi|alrededor|mas|menos|total|diferencia|suma
""",
    "benefit": """
discount|voucher|coupon|gift|off|exception|waive|waived|credit|courtesy|goodwill|compensation|free|bonus|gesture|apology
desconto|cupom|brinde|excecao|isentar|isento|cortesia|mimo|credito|cashback|gratis|compensacao|gentileza|vale
descuento|cupon|regalo|excepcion|cortesia|credito|bonificacion|compensacion|gratis|vale|detalle|bono
""",
    "wishes_well": """
have|enjoy|happy|good|great|lovely|nice|wonderful ?a ?your ?the ?rest ?of monday|tuesday|wednesday|thursday|friday|saturday|sunday|week|weekend|day|month|year
bom|boa|otimo|otima|feliz|excelente|lindo|linda ?final|resto ?de ?do ?da segunda|terca|quarta|quinta|sexta|sabado|domingo|semana|dia|mes|ano
buen|buena|feliz|lindo|linda|excelente|bonito|bonita lunes|martes|miercoles|jueves|viernes|sabado|domingo|semana|dia|mes|ano|fin
""",
    "kind_exchange": """
exchange|swap|replacement|exchanged|exchanging|swapping
troca|trocar|substituicao|trocando
cambio|cambiar|reemplazo|cambiarlo|cambiarla
""",
    "kind_return": """
return|refund|returns|returned|refunded
send ..3 back
devolucao|devolver|reembolso|estorno
devolucion|devolver|reembolso|reintegro|devolverlo|devolverla
""",
    "kind_cancel": """
cancel|cancelled|canceled|cancellation|cancelling
cancelar|cancelamento|cancelado|cancelada|cancelo
cancelacion|anular|anulacion|cancelarlo|anulado
""",
}

PHRASES = Phrases({**CONCEPTS, **ASKS, **TOPICS, **EXACT})
