"""What customers come for, by contact reason: phrases in English, Portuguese and Spanish, without accents.

The names are those of the contact reasons that `grader.toml` proposes; a reason that a workspace does not have is never
answered. The order is that of decision: the first kind that a customer's opening words show is taken.
"""

from __future__ import annotations

_BROKEN_EN = "damaged|broken|cracked|smashed|shattered|torn|ripped|faulty|defective|scratched|dented|leaking|chipped|snapped|melted"
_BROKEN_PT = "quebrado|quebrada|quebrados|quebradas|rachado|rachada|trincado|trincada|rasgado|rasgada|amassado|amassada|danificado|danificada|defeito|estragado|estragada|furado|furada|manchado|manchada"
_BROKEN_ES = "roto|rota|rotos|rotas|quebrado|quebrada|danado|danada|rajado|rajada|rasgado|rasgada|defectuoso|defectuosa|partido|partida|partidas|golpeado|golpeada|estrellado|estrellada|averiado|averiada|falla|manchado|manchada|descosido|descosida"

REASONS = {
    "reason_account": """
log|logging|sign|signing in|into
login|password|passcode
my account
newsletter|unsubscribe
delete|erase|erased ..5 account|data
personal data
hacked
minha conta
senha|login|cadastro|newsletter
excluir|apagar ..4 conta|dados|cadastro
mi cuenta
contrasena|clave|boletin
borrar|eliminar|baja ..5 cuenta|datos|boletin
""",
    "reason_invoice": """
invoice|invoices
receipt ..4 company|tax|vat
nota|notas fiscal|fiscais
nf|nfe|danfe
factura|facturas|cfdi|facturar|facturacion
""",
    "reason_damaged_item": f"""
{_BROKEN_EN}
stopped|doesn't|doesnt|won't|wont|not|isn't|isnt work|working|turn|charge|charging|heat|switch
smoke|smoking|burning|sparks
in ..3 pieces
{_BROKEN_PT}
parou|deixou de ?de funcionar
nao ..2 funciona|liga|carrega|esquenta|funcionou|acende
fumaca|faisca|queimado
{_BROKEN_ES}
dejo ?de funcionar
no ..2 funciona|prende|enciende|carga|sirve|calienta|anda
humo|chispas
""",
    "reason_wrong_item": """
wrong item|size|colour|color|one|thing|order|product|shoes|sandals|parcel|stuff
not what i ordered
sent|got|received ..3 wrong|different|instead
different ..3 ordered|from
missing ..4 box|parcel|package|order
only one|two ..6 paid|ordered
veio|chegou|mandaram|recebi|enviaram ..4 errado|errada|trocado|trocada|outro|outra|diferente
pedi ..6 veio|chegou|mandaram
produto|item|tamanho|cor errado|errada
faltou|faltando|veio faltando
llego|mandaron|enviaron|recibi|vino ..4 equivocado|equivocada|otro|otra|incorrecto|incorrecta|diferente|distinto|distinta|error
pedi ..6 llego|mandaron|vino|vinieron|enviaron
producto|articulo|talla equivocado|equivocada|incorrecto|incorrecta
falta|falto|faltan ..4 caja|paquete|pedido|pieza
""",
    "reason_address_change": """
change|update|wrong|different|new|another|other ..3 address|adress
moved|moving
to|at ..2 my new place|flat|house|address
mudar|alterar|trocar|corrigir|atualizar|errado|errei|novo|outro ..4 endereco
mudei|mudando
endereco ..3 errado|novo|antigo|entrega
cambiar|modificar|corregir|actualizar|equivocada|nueva|otra ..4 direccion|domicilio
mude|mudo|mudando|mudanza
direccion ..3 equivocada|nueva|vieja|mal|entrega
""",
    "reason_cancellation": """
cancel|cancelling|canceling|cancellation
ordered ..4 twice
cancelar|cancelamento|cancela|cancele
cancelacion|cancelarlo|cancelarla|cancelame|anular|anularlo
""",
    "reason_payment": """
charged|charge|charges ..5 twice|double|times|two|duplicate
double charge|charged|payment
twice|two ..3 bank|card|statement
payment|card|checkout ..4 declined|failed|rejected|refused|accepted|doesn't|doesnt|won't|wont|stuck|pending
discount|voucher|promo|coupon|gift code|card
code ..3 work|working|wouldn't|wouldnt|doesn't|apply|applied
deducted|debited|installments|instalments
cobraram|cobrado|cobrada|cobranca|debitado|debitaram ..5 vezes|duas|dobro|duplicado|duplicada|errado
cobranca|cobrancas|cobraram|pix|boleto|parcelas|parcelar|parcela
pagamento|cartao ..5 recusado|negado|aprovado|passa|passou|caiu|pendente|duplicado
cupom|cupons|vale
cobro|cobraron|cobrado|cargo|cargos ..5 dos|doble|veces|duplicado|duplicados|reconozco
cargo|cargos|cobraron|cobro|cobros|mensualidades|cuotas
pago|tarjeta ..5 rechazado|rechazada|pasa|paso|rechaza|rechazo|pendiente|duplicado
cupon|cupones
""",
    "reason_exchange": """
exchange|exchanging|swap|swop
change|changing ..4 size|colour|color
different|another|bigger|smaller|larger size|colour|color
too big|small|tight|snug|large|long|short
trocar|troca|trocando
ficou ..3 grande|pequeno|pequena|apertado|apertada|largo|larga|justo|curto|comprido
cambiar ..6 talla|color|numero|talle|modelo|por|tamano
cambiarlo|cambiarla|cambiarlos|cambiarlas
queda|quedo|quedaron|quedan ..2 grande|chico|chica|pequeno|pequena|apretado|ajustado|corto|largo|chicos|grandes
cambio
""",
    "reason_refund": """
refund|refunded
money ..3 back|gone
where's|wheres|where ..3 money
reembolso|estorno|reembolsado|estornado
dinheiro ..3 volta|devolvido|voltou|caiu|conta
reintegro|reembolsado|reembolsaron
dinero ..4 devolver|devuelto|devuelvan|regresar|regresen|llega|cuenta
plata
""",
    "reason_return": """
return|returning|returns
send|sending|sent ..4 back
devolver|devolucao|devolucoes|devolvo
devolucion|devolverlo|devolverla|regresar
arrependi|desisti
""",
    "reason_order_status": """
where|wheres|where's ..4 order|parcel|package|stuff|delivery|it|my
when ..6 arrive|come|get|delivered|ship|here
has|have|did|is ..4 shipped|arrived|come|dispatched|sent
not|hasnt|hasn't|havent|haven't|never|still|didnt|didn't ..5 arrived|arrive|come|came|received|shipped|delivered|here
tracking|track
late|delayed|delay
cade|onde ..5 pedido|pacote|encomenda|compra|entrega
quando ..4 chega|entrega|sai|vem
nao|nunca|ainda ..3 chegou|recebi|entregaram|saiu|veio|enviaram
atrasado|atrasada|atraso|rastreio|rastreamento|rastrear
donde ..5 pedido|paquete|envio|compra
cuando ..4 llega|llegara|entregan|sale|llegan
no|nunca|aun|todavia ..4 llega|llego|llegado|recibi|recibido|entregaron|entregado|salido
retraso|retrasado|rastreo|rastrear|seguimiento|demora|demorado
""",
    "reason_complaint": """
complain|complaint|complaints
reclamar|reclamacao
queja|quejarme|reclamo|reclamacion|constancia
driver|courier ..5 rude|threw|left|lobbed|dumped
entregador ..5 grosso|jogou|largou|mal
repartidor ..5 grosero|avento|tiro|dejo|mal
""",
    "reason_product_question": """
do|does|is|are|will|would|can|have ..6 fit|compatible|waterproof|stock|available|size|sizes|material|washable|safe|dimmable|work|come
difference|diff between
how ..3 big|wide|tall|heavy|long
tem|voces|vcs ..4 estoque|tamanho|cor|disponivel|numero
serve|serviria|cabe|compativel|material|medidas|voltagem|bivolt
diferenca entre
tienen|hay|tenes|tienes ..4 talla|stock|color|disponible|disponibles|talle|numero
sirve|compatible|material|medidas|voltaje|caben|cabe
diferencia entre
""",
}
