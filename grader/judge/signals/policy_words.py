"""What rules are about, by concept: phrases in English, Portuguese and Spanish, without accents."""

from __future__ import annotations

from grader.judge.signals.words import Phrases

# These are looked for in the assistant's words too, so that both can be compared on one subject.
TOPICS = {
    "topic_refund": """
refund|refunds|refunded
money back
reembolso|reembolsos|estorno|estornos|reembolsado|reembolsada|reembolsar
dinheiro de volta
reintegro|reintegros|dinero
""",
    "topic_return": """
return|returned|returns|returning|exchange|exchanged|exchanges|exchanging|window
send|sending|sent ..3 back
devolver|devolucao|devolucoes|troca|trocas|trocar|devolucion|devoluciones|cambio|cambios|cambiar|regresar
""",
    "topic_delivery": """
delivery|deliver|delivers|delivered|shipping|ship|ships|shipped|shipment|dispatch|dispatched|express|standard|parcel|carrier|courier
entrega|entregas|entregar|entregue|envio|envios|frete|despacho|despachado|despachar|expresso|expressa|padrao|transportadora|pacote|encomenda
entregado|expres|estandar|paquete|transportista|paqueteria|mensajeria|reparto
""",
    "topic_payment": """
reservation|reservations|boleto|pix|charge|charges|charged|card|payment|payments|authorization
reserva|reservas|cobranca|cobrancas|cobrado|cartao|pagamento|pagamentos|autorizacao
cargo|cargos|tarjeta|pago|pagos|retencion|autorizacion|cobro|cobros
""",
    "topic_people": """
colleague|colleagues|team|ticket|person|answers|answer|hours
colega|colegas|equipe|chamado|atendente|atendentes|pessoa|responde
companero|companera|companeros|equipo|persona|agente|agentes|contesta
""",
    "topic_invoice": """
invoice|invoices|receipt
nota|notas|fiscal|recibo
factura|facturas|comprobante
""",
}
# Finer subjects: a period for one says nothing of the other.
EXACT = {
    "exact_refund": TOPICS["topic_refund"],
    "exact_window": """
return|returned|returns|exchanged ..3 within|window|period
within|in|have ..4 of|from|after ?the delivery|receiving|receipt
return window|period|policy
prazo ..3 devolver|devolucao|troca
devolver|devolucao|trocar ..5 prazo|ate|em
plazo ..3 devolver|devolucion|cambio
devolver|devolucion|cambio ..5 plazo|hasta|en|dentro
""",
    "exact_express": "express|expedited|expresso|expressa|expres",
    "exact_standard": "standard|padrao|estandar",
    "exact_reservation": "boleto|reservation|reservations|reserva|retencion",
}
RULES = {
    "next_day": """
next|following ?business ?working day
tomorrow|amanha|manana
dia seguinte|siguiente
proximo|siguiente dia
""",
    "forbids_gifts": """
no discounts|discount|vouchers|gifts|coupons
not|never|nor ..6 discount|discounts|voucher|vouchers|gift|gifts|coupon|coupons|compensation
discount|discounts|voucher|vouchers ..8 not|never|only
nao|nunca|nenhum ..6 desconto|descontos|cupom|cupons|brinde|brindes
no|nunca|ningun ..6 descuento|descuentos|cupon|cupones|regalo|regalos
""",
    "at_once": """
hand|hands|transfer|transfers|escalate|escalates|pass|passes ..4 once|immediately|straight|directly
transferir|transfira|encaminhar|encaminhe|passar ..6 imediatamente|imediato|direto|hora
transferir|transfiera|derivar|derive|pasar ..6 inmediatamente|inmediato|directamente|momento
""",
    "asks_first": """
ask|asks|asked|asking ..3 yes|confirmation|consent|permission
obtain|obtains|get|gets|wait|waits|require|requires ..4 confirmation|consent|yes
confirm|confirms ..6 before
before ..8 confirm|confirmation|asks|ask|explicit
pedir|pede|peca|perguntar|pergunta ..3 sim|confirmacao|autorizacao
confirmar|confirme|confirma|confirmacao ..6 antes
antes ..8 confirmar|confirmacao|pede|pergunta
pedir|pide|pida|preguntar|pregunta ..3 si|confirmacion|autorizacion
confirmacion ..6 antes
antes ..8 confirmacion|pide|pregunta
""",
}

PHRASES = Phrases({**RULES, **TOPICS, **EXACT})
